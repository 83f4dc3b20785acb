import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'cloudeasyml';
import type { onnx } from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { addon } from '../../dist/engine/addon.js';
import { expectError } from '../support/errors.js';
import {
  externalFloats,
  floats,
  graph,
  model,
  node,
  softmaxClassifier,
} from '../support/onnxModels.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const x = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4]);

/** y = x + addend. The folder's tests tell models apart by it. */
function adder(addend: number | onnx.ITensorProto): Uint8Array {
  return model(
    graph(
      [{ name: 'x', type: 'float32', dims: [1] }],
      [node('Add', ['x', 'addend'], ['y'])],
      [{ name: 'y', type: 'float32', dims: [1] }],
      [typeof addend === 'number' ? floats('addend', [1], [addend]) : addend],
    ),
  );
}

/** As a deployment does it: a file that is written to in place changes under those who have it mapped. */
function replaceWeights(name: string, value: number): void {
  const fresh = writeIn(folder, `${name}.new`, new Uint8Array(Float32Array.of(value).buffer));
  renameSync(fresh, path.join(folder, name));
}

/** y = what a file beside the model holds, from inside a branch. x is above zero. */
function branching(file: string): Uint8Array {
  const branch = (name: string) =>
    graph(
      [],
      [node('Identity', ['kept'], [name])],
      [{ name, type: 'float32', dims: [1] }],
      [externalFloats('kept', [1], file)],
    );
  return model(
    graph(
      [{ name: 'x', type: 'float32', dims: [1] }],
      [
        node('Cast', ['x'], ['isAbove'], [{ name: 'to', type: 2, i: 9 }]),
        node(
          'If',
          ['isAbove'],
          ['y'],
          [
            { name: 'then_branch', type: 5, g: branch('then') },
            { name: 'else_branch', type: 5, g: branch('else') },
          ],
        ),
      ],
      [{ name: 'y', type: 'float32', dims: [1] }],
    ),
  );
}

function answer(session: InferenceSession): unknown {
  return session.run({ x: new Tensor('float32', Float32Array.of(1)) }).y!.data[0];
}

describe('one model', () => {
  test('is loaded once for the same file and options', async () => {
    const file = writeIn(folder, 'once.onnx', adder(10));
    const before = addon.openSessions();
    const first = InferenceSession.createSync(file);
    const others = await Promise.all([
      InferenceSession.create(file),
      InferenceSession.create(path.relative(process.cwd(), file)),
      InferenceSession.create(file, { executionProviders: [] }),
    ]);
    expect(addon.openSessions() - before).toBe(1);
    for (const session of [first, ...others]) expect(answer(session)).toBe(11);
    for (const session of [first, ...others]) session.release();
    expect(addon.openSessions() - before).toBe(0);
  });

  test('is loaded once for the same bytes', () => {
    const before = addon.openSessions();
    const sessions = [adder(11), adder(11)].map((bytes) => InferenceSession.createSync(bytes));
    expect(addon.openSessions() - before).toBe(1);
    for (const session of sessions) session.release();
  });

  test('is loaded again with other options', () => {
    const file = writeIn(folder, 'options.onnx', adder(12));
    const before = addon.openSessions();
    const sessions = [
      InferenceSession.createSync(file),
      InferenceSession.createSync(file, { graphOptimizationLevel: 'basic' }),
    ];
    expect(addon.openSessions() - before).toBe(2);
    for (const session of sessions) session.release();
  });

  test('is loaded anew when its file has changed', () => {
    const file = writeIn(folder, 'changed.onnx', adder(1));
    const old = InferenceSession.createSync(file);
    writeFileSync(file, adder(2));
    const changed = InferenceSession.createSync(file);
    expect(answer(changed)).toBe(3);
    expect(answer(old)).toBe(2);
    copyFileSync(writeIn(folder, 'third.onnx', adder(3)), file);
    const third = InferenceSession.createSync(file);
    expect(answer(third)).toBe(4);
    for (const session of [old, changed, third]) session.release();
  });

  test('is loaded anew when a file that holds its weights was replaced', () => {
    replaceWeights('addend.bin', 1);
    const file = writeIn(folder, 'beside.onnx', adder(externalFloats('addend', [1], 'addend.bin')));
    const old = InferenceSession.createSync(file);
    const again = InferenceSession.createSync(file);
    const before = addon.openSessions();
    replaceWeights('addend.bin', 2);
    const changed = InferenceSession.createSync(file);
    expect([old, again, changed].map(answer)).toEqual([2, 2, 3]);
    expect(addon.openSessions() - before).toBe(1);
    for (const session of [old, again, changed]) session.release();
  });

  test('in memory is loaded anew when a file that holds its weights was replaced', () => {
    const bytes = adder(externalFloats('addend', [1], 'addendOfBytes.bin'));
    const configEntries = { 'session.model_external_initializers_file_folder_path': folder };
    const sessions = [1, 2].map((value) => {
      replaceWeights('addendOfBytes.bin', value);
      return InferenceSession.createSync(bytes, { configEntries });
    });
    expect(sessions.map(answer)).toEqual([2, 3]);
    for (const session of sessions) session.release();
  });

  test('is loaded anew when weights deep inside it were replaced', () => {
    const file = writeIn(folder, 'branches.onnx', branching('branch.bin'));
    const sessions = [1, 5].map((value) => {
      replaceWeights('branch.bin', value);
      return InferenceSession.createSync(file);
    });
    expect(sessions.map(answer)).toEqual([1, 5]);
    for (const session of sessions) session.release();
  });

  test('stays open for the others when one lets go', () => {
    const file = writeIn(folder, 'letGo.onnx', adder(5));
    const [first, second] = [InferenceSession.createSync(file), InferenceSession.createSync(file)];
    first.release();
    expectError(() => answer(first), { code: 'runtime_failed', message: /released/ });
    expect(answer(second)).toBe(6);
    second.release();
    second.release();
    expectError(() => answer(second), { code: 'runtime_failed', message: /released/ });
  });

  test('is closed only when runs that are under way have ended', async () => {
    const session = InferenceSession.createSync(softmaxClassifier());
    const running = Array.from({ length: 20 }, () => session.runAsync({ x }));
    session.release();
    for (const { y } of await Promise.all(running)) expect(y!.dims).toEqual([1, 3]);
  });
});

test('threads share one session, and each gets its own answers', async () => {
  const file = writeIn(folder, 'threads.onnx', softmaxClassifier());
  const session = InferenceSession.createSync(file);
  const before = addon.openSessions();
  const workers = Array.from(
    { length: 8 },
    () =>
      new Worker(new URL('./fixtures/answeringWorker.mjs', import.meta.url), { workerData: file }),
  );
  const reports = await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message'))[0]),
  );
  for (const report of reports) expect(report).toEqual({ openSessions: before, wrong: 0 });
  await Promise.all(workers.map((worker) => worker.terminate()));
  expect(session.run({ x }).y!.dims).toEqual([1, 3]);
});

test('ten threads with one large model take the memory of one', () => {
  const file = path.join(folder, 'large.onnx');
  const fixture = path.join(import.meta.dirname, 'fixtures', 'memoryOfWorkers.mjs');
  const size = 4096 * 4096;
  writeFileSync(
    file,
    model(
      graph(
        [{ name: 'x', type: 'float32', dims: [1, 4096] }],
        [node('MatMul', ['x', 'weights'], ['y'])],
        [{ name: 'y', type: 'float32', dims: [1, 4096] }],
        [floats('weights', [4096, 4096], new Float32Array(size) as never)],
      ),
    ),
  );
  const grown = (count: number, modelFile: string) =>
    Number(
      execFileSync(process.execPath, [fixture, String(count), modelFile], { encoding: 'utf8' }),
    );
  // What is left beside the workers' own heaps, in bytes.
  const one = grown(1, file);
  const ten = grown(10, file);
  expect(one).toBeGreaterThan(size * 4 * 0.9);
  expect(ten).toBeLessThan(one * 1.3);
});
