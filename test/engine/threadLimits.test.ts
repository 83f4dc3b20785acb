import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { isSanitized } from '../support/serverProcess.js';

const fixture = path.join(import.meta.dirname, 'fixtures', 'manyThreads.mjs');
const iris = path.join(import.meta.dirname, '../../plugins/irisClassification/model.onnx');

/** Limits don't hold for root, and only root may run something as a user with no other processes. */
const canLimit =
  process.getuid?.() === 0 &&
  !isSanitized &&
  ['prlimit', 'setpriv'].every((tool) => existsSync(`/usr/bin/${tool}`));

test.runIf(canLimit)(
  'a session with more threads than the system allows is an error, after which others open',
  async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    const model = path.join(folder, 'iris.onnx');
    await copyFile(iris, model);
    const { stdout } = await promisify(execFile)('prlimit', [
      '--nproc=60',
      ...['setpriv', '--reuid=65000', '--regid=65000', '--clear-groups'],
      ...[process.execPath, fixture, model, '400', '3'],
    ]);
    expect(stdout).toMatch(
      /^model_load_failed: .*iris\.onnx" did not load: the system does not allow 399 more threads .*\.\nopened\n$/,
    );
  },
);
