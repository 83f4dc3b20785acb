import { execFile } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { InferenceSession, stopRuns, Tensor } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError } from '../support/errors.js';
import { graph, identity, model, node } from '../support/onnxModels.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const fixtures = path.join(import.meta.dirname, 'fixtures');
const named = identity('float32', ['batch', 'width']);
const unnamed = identity('float32', [null, null]);

/** y has the elements of x at which `kept` is true, while the model declares it to be as long as x. */
const compress = model(
  graph(
    [
      { name: 'x', type: 'float32', dims: ['length'] },
      { name: 'kept', type: 'bool', dims: ['length'] },
    ],
    [node('Compress', ['x', 'kept'], ['y'])],
    [{ name: 'y', type: 'float32', dims: ['length'] }],
  ),
);

/** y = x at `index`, repeated to the length of x. */
const gather = model(
  graph(
    [
      { name: 'x', type: 'float32', dims: ['length'] },
      { name: 'index', type: 'int64', dims: ['length'] },
    ],
    [node('Gather', ['x', 'index'], ['y'])],
    [{ name: 'y', type: 'float32', dims: ['length'] }],
  ),
);

function filled(value: number, dims: readonly number[]): Tensor<'float32'> {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return new Tensor('float32', new Float32Array(size).fill(value), dims);
}

describe.each([
  ['whose shapes are named', named],
  ['whose shapes are not', unnamed],
])('outputs of a model %s', (_, bytes) => {
  const session = InferenceSession.createSync(bytes);

  test.each([
    [10, 100],
    [1000, 100],
    [128 * 1024, 100],
    [2 * 1024 * 1024, 20],
  ])('of %d bytes and more stay as they are, %d of them', async (size, count) => {
    const outputs = [];
    for (let i = 0; i < count; i++) {
      // Shapes that change from run to run.
      const dims = [1 + (i % 3), Math.ceil(size / 4) + (i % 2)];
      outputs.push({ y: session.run({ x: filled(i, dims) }).y!, dims, i });
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    for (const { y, dims, i } of outputs) {
      expect(y.dims).toEqual(dims);
      expect(Buffer.compare(bytesOf(y), bytesOf(filled(i, dims)))).toBe(0);
    }
  });

  test('may be given away, and run on', () => {
    const x = filled(3, [1, 50_000]);
    const given = session.run({ x }).y!.data as Float32Array;
    // Memory of ONNX Runtime's is copied by this, other memory moves.
    const taken = structuredClone(given, { transfer: [given.buffer as ArrayBuffer] });
    for (let i = 0; i < 200; i++) session.run({ x: filled(i, [1, 50_000]) });
    expect(taken).toEqual(x.data);
  });
});

function bytesOf({ data }: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}

test('outputs that are not of the shape that the model declares are right all the same', () => {
  const session = InferenceSession.createSync(compress);
  const x = new Tensor(
    'float32',
    Float32Array.from({ length: 6000 }, (_, i) => i),
  );
  const run = (keep: (i: number) => boolean) => {
    const kept = new Tensor(
      'bool',
      Uint8Array.from(x.data, (_, i) => Number(keep(i))),
    );
    return session.run({ x, kept }).y!;
  };
  expect(run(() => true).data).toEqual(x.data);
  for (let round = 2; round < 6; round++) {
    const y = run((i) => i % round === 0);
    expect(y.dims).toEqual([6000 / round]);
    expect(y.data).toEqual((x.data as Float32Array).filter((_, i) => i % round === 0));
  }
  expect(run(() => true).data).toEqual(x.data);
});

test('a run that fails leaves the next ones alone', () => {
  const session = InferenceSession.createSync(gather);
  const run = (length: number, index: number) =>
    session.run({
      x: filled(7, [length]),
      index: new Tensor('int64', new BigInt64Array(length).fill(BigInt(index))),
    });
  for (const length of [5000, 10, 5000]) {
    expect(run(length, 3).y!.data).toEqual(filled(7, [length]).data);
    expectError(() => run(length, 100_000), { code: 'invalid_input', message: /out of/ });
  }
  expect(run(20, 3).y!.data).toEqual(filled(7, [20]).data);
});

describe('a loop without a turn of the event loop', () => {
  const files = {
    named: writeIn(folder, 'named.onnx', identity('float32', ['n'])),
    unnamed: writeIn(folder, 'unnamed.onnx', identity('float32', [null])),
  };

  test.each([
    ['allocated', 'named', 32_768, 8000],
    ['allocated', 'named', 1_048_576, 300],
    ['allocated', 'unnamed', 32_768, 8000],
    ['owned', 'named', 32_768, 8000],
  ] as const)(
    'takes bounded memory (%s outputs, %s shapes, %d elements)',
    async (way, name, elements, rounds) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        path.join(fixtures, 'memoryOfLoop.mjs'),
        files[name],
        way,
        `${elements}`,
        `${rounds}`,
      ]);
      const { wrong, grown } = JSON.parse(stdout);
      expect(wrong).toBe(0);
      // All inputs, or all outputs, together have 1,000 MB and more.
      expect(grown).toBeLessThan(700e6);
    },
  );
});

test('workers that allocate outputs may be terminated at any moment', async () => {
  const file = writeIn(folder, 'large.onnx', named);
  for (let round = 0; round < 6; round++) {
    const workers = [1, 2].map(
      () => new Worker(path.join(fixtures, 'allocatingWorker.mjs'), { workerData: file }),
    );
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    for (const worker of workers) {
      stopRuns(worker.threadId);
      await worker.terminate();
    }
  }
  const session = InferenceSession.createSync(file);
  expect(session.run({ x: filled(5, [2, 40_000]) }).y!.data[79_999]).toBe(5);
});
