import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { InferenceSession, Tensor } from 'cloudeasyml';
import { expect, test } from 'vitest';
import {
  externalFloats,
  floats,
  graph,
  model,
  node,
  softmaxClassifier,
} from '../support/onnxModels.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const root = temporaryFolder();
const x = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4]);

function answer(session: InferenceSession): number[] {
  return Array.from(session.run({ x }).y!.data as Float32Array);
}

/** Opens a model through a cache, closes it, and gives its answer. */
async function through(
  cache: string,
  source: string | Uint8Array,
  options = {},
): Promise<number[]> {
  const session = await InferenceSession.create(source, { optimizedModelCache: cache, ...options });
  const result = answer(session);
  session.release();
  return result;
}

const uncached = InferenceSession.createSync(softmaxClassifier());
const expected = answer(uncached);
// An open session would be shared, and nothing loaded.
uncached.release();

test('the first start leaves one file, which later starts use', async () => {
  const cache = path.join(root, 'first', 'made', 'on', 'demand');
  expect(await through(cache, softmaxClassifier())).toEqual(expected);
  const [file, ...others] = readdirSync(cache);
  expect(others).toEqual([]);
  const before = readFileSync(path.join(cache, file!));
  expect(await through(cache, softmaxClassifier())).toEqual(expected);
  const session = InferenceSession.createSync(softmaxClassifier(), { optimizedModelCache: cache });
  expect(answer(session)).toEqual(expected);
  session.release();
  expect(readdirSync(cache)).toEqual([file]);
  expect(readFileSync(path.join(cache, file!))).toEqual(before);
});

test('what is kept is really what is opened', async () => {
  const cache = path.join(root, 'opened');
  await through(cache, softmaxClassifier());
  const [file] = readdirSync(cache);
  // Another model in its place shows that the place is read.
  const swapped = model(
    graph(
      [{ name: 'x', type: 'float32', dims: ['batch', 4] }],
      [node('Neg', ['x'], ['y'])],
      [{ name: 'y', type: 'float32', dims: ['batch', 4] }],
    ),
  );
  writeFileSync(path.join(cache, file!), swapped);
  expect(await through(cache, softmaxClassifier())).toEqual([-1, -2, -3, -4]);
});

test('a damaged file is made anew', async () => {
  const cache = path.join(root, 'damaged');
  await through(cache, softmaxClassifier());
  const file = path.join(cache, readdirSync(cache)[0]!);
  const whole = readFileSync(file);
  truncateSync(file, 40);
  expect(await through(cache, softmaxClassifier())).toEqual(expected);
  expect(readFileSync(file).length).toBe(whole.length);
});

test('other options and other models have files of their own', async () => {
  const cache = path.join(root, 'own');
  await through(cache, softmaxClassifier());
  await through(cache, softmaxClassifier(), { graphOptimizationLevel: 'basic' });
  expect(readdirSync(cache)).toHaveLength(2);
  const other = writeIn(root, 'other.onnx', weighted(floats('weights', [4, 1], [1, 1, 1, 1])));
  expect(await through(cache, other)).toEqual([10]);
  expect(readdirSync(cache)).toHaveLength(3);
});

test('a model whose file was replaced is not served from before', async () => {
  const cache = path.join(root, 'replaced');
  const file = writeIn(root, 'replaced.onnx', weighted(floats('weights', [4, 1], [1, 0, 0, 0])));
  expect(await through(cache, file)).toEqual([1]);
  writeFileSync(file, weighted(floats('weights', [4, 1], [0, 1, 0, 0])));
  expect(await through(cache, file)).toEqual([2]);
});

test('weights that lie in a file beside the model count as its content', async () => {
  const cache = path.join(root, 'external');
  const weights = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const file = writeIn(root, 'external.onnx', weighted(externalFloats('weights', [4, 1], 'w.bin')));
  writeIn(root, 'w.bin', weights([1, 0, 0, 0]));
  expect(await through(cache, file)).toEqual([1]);
  expect(await through(cache, file)).toEqual([1]);
  expect(readdirSync(cache)).toHaveLength(1);
  writeIn(root, 'w.bin', weights([0, 0, 1, 0]));
  expect(await through(cache, file)).toEqual([3]);
});

test('a model of over 2 GB is kept, with its weights in a file beside it', async () => {
  const cache = path.join(root, 'large');
  const rows = 134_300_000;
  const file = writeIn(root, 'large.onnx', table(rows, 'large.bin'));
  const weights = openSync(path.join(root, 'large.bin'), 'w');
  const last = (rows - 1) * 16;
  writeSync(weights, new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer), 0, 16, last);
  closeSync(weights);
  const answerOf = async () => {
    const session = await InferenceSession.create(file, { optimizedModelCache: cache });
    const { y } = session.run({ x: new Tensor('int64', BigInt64Array.of(BigInt(rows - 1))) });
    session.release();
    return [...(y!.data as Float32Array)];
  };
  expect(await answerOf()).toEqual([1, 2, 3, 4]);
  const kept = readdirSync(cache);
  expect(kept.map((name) => path.extname(name)).sort()).toEqual(['.data', '.onnx']);
  // What answers now is what was kept.
  const beside = openSync(path.join(cache, kept.find((name) => name.endsWith('.data'))!), 'r+');
  writeSync(beside, new Uint8Array(Float32Array.of(5, 6, 7, 8).buffer), 0, 16, last);
  closeSync(beside);
  expect(await answerOf()).toEqual([5, 6, 7, 8]);
});

test('a damaged form goes with the file that holds its weights', async () => {
  const cache = path.join(root, 'damagedBeside');
  await through(cache, softmaxClassifier());
  const [file] = readdirSync(cache);
  writeIn(cache, file!, weighted(externalFloats('weights', [4, 1], 'weights.data')));
  writeIn(cache, 'weights.data', new Uint8Array(7));
  expect(await through(cache, softmaxClassifier())).toEqual(expected);
  expect(readdirSync(cache)).toEqual([file]);
});

test('a model whose optimised form cannot be written opens all the same', async () => {
  const cache = path.join(root, 'unwritable');
  const session = InferenceSession.createSync(softmaxClassifier(), { optimizedModelCache: cache });
  const [file] = readdirSync(cache);
  session.release();
  // Where the form would go is a folder.
  rmSync(path.join(cache, file!));
  mkdirSync(path.join(cache, file!));
  expect(await through(cache, softmaxClassifier())).toEqual(expected);
  expect(readdirSync(cache)).toEqual([file]);
});

test('sessions that open at once leave one whole file', async () => {
  const cache = path.join(root, 'atOnce');
  const levels = ['basic', 'extended', 'all'];
  const answers = await Promise.all(
    [...levels, ...levels].map((graphOptimizationLevel) =>
      through(cache, softmaxClassifier(), { graphOptimizationLevel }),
    ),
  );
  for (const one of answers) {
    one.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 6);
    });
  }
  const files = readdirSync(cache);
  expect(files).toHaveLength(3);
  expect(files.every((file) => file.endsWith('.onnx'))).toBe(true);
});

/** y = the rows x of a table of `rows` times 4 numbers, in a file beside the model */
function table(rows: number, file: string): Uint8Array {
  return model(
    graph(
      [{ name: 'x', type: 'int64', dims: [1] }],
      [node('Gather', ['table', 'x'], ['y'])],
      [{ name: 'y', type: 'float32', dims: [1, 4] }],
      [externalFloats('table', [rows, 4], file)],
    ),
  );
}

/** y = x · weights */
function weighted(weights: ReturnType<typeof floats>): Uint8Array {
  return model(
    graph(
      [{ name: 'x', type: 'float32', dims: [1, 4] }],
      [node('MatMul', ['x', 'weights'], ['y'])],
      [{ name: 'y', type: 'float32', dims: [1, 1] }],
      [weights],
    ),
  );
}
