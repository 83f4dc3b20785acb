import { execFile } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { InferenceSession, stopRuns, Tensor } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { countingLoop, identity } from '../support/onnxModels.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const loop = writeIn(folder, 'loop.onnx', countingLoop());
process.env.IDENTITY_MODEL = writeIn(folder, 'identity.onnx', identity('float32', [null]));
const fixture = path.join(import.meta.dirname, 'fixtures', 'longRuns.mjs');

function start(mode: string): Worker {
  return new Worker(fixture, { workerData: [loop, mode] });
}

/** That this thread's sessions still work. */
function expectWorking(): void {
  const session = InferenceSession.createSync(loop);
  const count = new Tensor('int64', BigInt64Array.of(5n), []);
  const x = new Tensor('float32', Float32Array.of(1), []);
  expect(session.run({ count, x }).y!.data[0]).toBe(6);
  session.release();
}

describe('a worker that is terminated', () => {
  test('during asynchronous runs ends at once', async () => {
    const worker = start('async');
    await once(worker, 'message');
    await worker.terminate();
    expectWorking();
  });

  test('during a synchronous run ends once its runs are stopped', async () => {
    const worker = start('sync');
    await once(worker, 'message');
    await sleep(20);
    stopRuns(worker.threadId);
    await worker.terminate();
    expectWorking();
  });

  test.each(['mixed', 'opening'])(
    'at any moment (%s) harms nothing',
    async (mode) => {
      for (let round = 0; round < 12; round++) {
        const worker = start(mode);
        // The first rounds hit the worker while it loads.
        if (round > 3) await once(worker, 'message');
        await sleep(round * 3);
        await worker.terminate();
      }
      expectWorking();
    },
    60_000,
  );
});

test('stopping a thread’s runs leaves those of others alone', async () => {
  const [one, other] = [start('sync'), start('mixed')];
  await Promise.all([once(one, 'message'), once(other, 'message')]);
  await sleep(20);
  const failed = once(one, 'error');
  stopRuns(one.threadId);
  expect((await failed)[0]).toMatchObject({ code: 'cancelled' });
  await sleep(20);
  expect(other.threadId).toBeGreaterThan(0);
  await other.terminate();
});

describe('a process that ends', () => {
  async function exitOf(mode: string): Promise<{ code: unknown; signal: unknown; stderr: string }> {
    const run = promisify(execFile)(process.execPath, [fixture, loop, mode], { timeout: 30_000 });
    const error = await run.then(
      () => ({ code: 0, signal: null, stderr: '' }),
      (error) => error,
    );
    return { code: error.code, signal: error.signal, stderr: error.stderr };
  }

  test('by process.exit() during runs has its exit code', async () => {
    expect(await exitOf('exit')).toMatchObject({ code: 7, signal: null, stderr: '' });
  });

  test('by an uncaught error during runs reports that error', async () => {
    const { code, signal, stderr } = await exitOf('throw');
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toMatch(/nobody catches this/);
  });

  test('while its workers run models ends with its exit code', async () => {
    expect(await exitOf('workers')).toMatchObject({ code: 9, signal: null, stderr: '' });
  });
});
