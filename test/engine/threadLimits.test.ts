import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { isSanitized } from '../support/serverProcess.js';

const fixture = path.join(import.meta.dirname, 'fixtures', 'manyThreads.mjs');
const addon = path.join(import.meta.dirname, '../../build/Release/cloudeasyml.node');
const iris = path.join(import.meta.dirname, '../../plugins/irisClassification/model.onnx');

/** Limits don't hold for root, and only root may run something as a user with no other processes. */
const canLimit =
  process.getuid?.() === 0 &&
  !isSanitized &&
  ['prlimit', 'setpriv'].every((tool) => existsSync(`/usr/bin/${tool}`));

function runWithin(limit: number, args: string[]) {
  return promisify(execFile)('prlimit', [
    `--nproc=${limit}`,
    ...['setpriv', '--reuid=65000', '--regid=65000', '--clear-groups'],
    process.execPath,
    ...args,
  ]).then(
    ({ stdout }) => stdout.trim(),
    ({ signal, code }) => `ended by ${signal ?? code}`,
  );
}

test.runIf(canLimit)(
  'without a thread to spare the engine is not loaded, and says so',
  async () => {
    const load = `try { require(${JSON.stringify(addon)}); console.log('loaded') }
    catch (error) { console.log(error.message) }`;
    // With one thread fewer than the engine needs Node.js itself still starts.
    for (let limit = 20; limit > 5; limit--) {
      const outcome = await runWithin(limit, ['-e', load]);
      if (outcome === 'loaded') continue;
      expect(outcome).toBe('Resource temporarily unavailable');
      return;
    }
    expect.unreachable();
  },
);

test.runIf(canLimit)(
  'a session with more threads than the system allows is an error, after which others open',
  async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o755);
    const model = path.join(folder, 'iris.onnx');
    await copyFile(iris, model);
    expect(await runWithin(60, [fixture, model, '400', '3'])).toMatch(
      /^model_load_failed: .*iris\.onnx" did not load: the system does not allow 399 more threads .*\.\nopened$/,
    );
  },
);
