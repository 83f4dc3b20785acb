import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { addon } from '../../dist/engine/addon.js';
import { InferenceSession } from '../../dist/index.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const fixture = path.join(import.meta.dirname, 'fixtures', 'noDescriptors.mjs');

describe('what fails in native code', () => {
  test.runIf(process.platform === 'linux')(
    'for want of file descriptors is a JavaScript error, after which it works again',
    async () => {
      // A sanitizer's library, which is for Node.js alone: a shell need not start with it.
      const { LD_PRELOAD: preloaded = '', ...env } = process.env;
      const { stdout } = await promisify(execFile)(
        'sh',
        [
          '-c',
          'ulimit -n 128 && LD_PRELOAD="$2" exec "$0" "$1"',
          process.execPath,
          fixture,
          preloaded,
        ],
        { env },
      );
      const failed = 'CloudEasyMLError internal';
      expect(stdout.trim()).toBe(`${failed}, ${failed}, made, made`);
    },
  );

  test('names no places in ONNX Runtime’s source', async () => {
    const empty = writeIn(folder, 'empty.onnx', '');
    const error: Error = await InferenceSession.create(empty).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.message).toMatch(/failed:ModelProto does not have a graph\.$/);
    expect(error.message).not.toMatch(/onnxruntime::|\.cc:/);
  });

  test('for arguments of the wrong kind is a JavaScript error', () => {
    const wrong = (call: () => unknown) =>
      expect(call).toThrow(expect.objectContaining({ name: 'CloudEasyMLError', code: 'internal' }));
    const handle = 'seven' as unknown as number;
    wrong(() => addon.setAccepting(handle, true));
    wrong(() => addon.setAccepting(1, 'yes' as unknown as boolean));
    wrong(() => addon.isIdle(handle));
    wrong(() => addon.cancelRun(handle));
  });
});
