import { InferenceSession, Tensor } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError, expectRejection } from '../support/errors.js';
import { graph, identity, model, node, softmaxClassifier } from '../support/onnxModels.js';

const session = InferenceSession.createSync(softmaxClassifier());
const row = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4]);

/** Each fault, as feeds of the classifier: x float32 [batch, 4]. */
const faults: [string, Record<string, unknown>, RegExp, string | undefined][] = [
  ['no feeds', {}, /The input "x" is missing/, 'x'],
  ['an unknown name', { x: row, z: row }, /no input "z".*inputs are "x"/, 'z'],
  ['a wrong name', { X: row }, /no input "X"/, 'X'],
  [
    'an array in the place of a tensor',
    { x: [1, 2, 3, 4] },
    /Expected a Tensor for "x".*Array/,
    'x',
  ],
  ['null', { x: null }, /Expected a Tensor for "x" but received null/, 'x'],
  [
    'a wrong type',
    { x: new Tensor('float64', new Float64Array(4), [1, 4]) },
    /Expected float32 \[batch, 4\] for "x" but received float64 \[1, 4\]/,
    'x',
  ],
  [
    'a wrong width',
    { x: new Tensor('float32', new Float32Array(5), [1, 5]) },
    /Expected float32 \[batch, 4\] for "x" but received float32 \[1, 5\]/,
    'x',
  ],
  [
    'a missing axis',
    { x: new Tensor('float32', new Float32Array(4), [4]) },
    /but received float32 \[4\]/,
    'x',
  ],
];

describe.each(faults)('%s', (_, feeds, message, path) => {
  const expected = { code: 'invalid_input', message, path: path as string };

  test('is refused by run()', () => {
    expectError(() => session.run(feeds as never), expected);
  });

  test('is refused by runAsync()', async () => {
    await expectRejection(session.runAsync(feeds as never), expected);
  });

  test('leaves the session as it was', () => {
    expect(session.run({ x: row }).y!.dims).toEqual([1, 3]);
  });
});

test('an unknown output is refused', async () => {
  const expected = { code: 'invalid_input', path: 'z', message: /no output "z".*outputs are "y"/ };
  expectError(() => session.run({ x: row }, ['z']), expected);
  await expectRejection(session.runAsync({ x: row }, { outputs: ['z'] }), expected);
});

test('only the outputs that are asked for are computed', async () => {
  const two = InferenceSession.createSync(
    model(
      graph(
        [{ name: 'x', type: 'float32', dims: [2] }],
        [node('Neg', ['x'], ['negative']), node('Abs', ['x'], ['absolute'])],
        [
          { name: 'negative', type: 'float32', dims: [2] },
          { name: 'absolute', type: 'float32', dims: [2] },
        ],
      ),
    ),
  );
  const x = new Tensor('float32', Float32Array.of(-1, 2));
  expect(Object.keys(two.run({ x }))).toEqual(['negative', 'absolute']);
  expect(two.run({ x }, ['absolute'])).toEqual({
    absolute: new Tensor('float32', Float32Array.of(1, 2)),
  });
  expect(Object.keys(two.run({ x }, ['absolute', 'negative']))).toEqual(['absolute', 'negative']);
  expect(Object.keys(await two.runAsync({ x }, { outputs: ['negative'] }))).toEqual(['negative']);
});

describe('memory that went away', () => {
  const copy = InferenceSession.createSync(identity('float32', [null]));
  const sizes: [string, number][] = [
    ['a small tensor', 4],
    ['a large tensor', 100_000],
  ];

  test.each(sizes)('of %s by transfer is refused', async (_, length) => {
    const x = new Tensor('float32', new Float32Array(length).fill(1));
    copy.run({ x });
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
    const expected = { code: 'invalid_input', path: 'x', message: /detached/ };
    expectError(() => copy.run({ x }), expected);
    await expectRejection(copy.runAsync({ x }), expected);
  });

  test.each(sizes)('of %s by resizing is refused', async (_, length) => {
    // Newer than the language level that the tests are checked for.
    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(bytes: number): void };
    const buffer = new Resizable(length * 4, { maxByteLength: length * 8 });
    const x = new Tensor('float32', new Float32Array(buffer));
    expect(copy.run({ x }).y!.size).toBe(length);
    buffer.resize(4);
    const expected = { code: 'invalid_input', path: 'x', message: /resized/ };
    expectError(() => copy.run({ x }), expected);
    await expectRejection(copy.runAsync({ x }), expected);
    buffer.resize(length * 4);
    expect(copy.run({ x }).y!.data).toEqual(new Float32Array(length).fill(0));
  });

  test('while an asynchronous run goes on changes nothing', async () => {
    const x = new Tensor('float32', new Float32Array(1_000_000).fill(3));
    const running = copy.runAsync({ x });
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
    const { y } = await running;
    expect(y!.data.length).toBe(1_000_000);
    expect(y!.data.at(-1)).toBe(3);
  });
});

test('shared memory is read where it lies', async () => {
  const copy = InferenceSession.createSync(identity('float32', [null]));
  const data = new Float32Array(new SharedArrayBuffer(40_000)).fill(2);
  const x = new Tensor('float32', data);
  expect(copy.run({ x }).y!.data.at(-1)).toBe(2);
  data.fill(5);
  expect(copy.run({ x }).y!.data.at(-1)).toBe(5);
  expect((await copy.runAsync({ x })).y!.data.at(-1)).toBe(5);
});

test('feeds whose getters run models themselves get their own answers', () => {
  const copy = InferenceSession.createSync(identity('float32', [null]));
  const other = new Tensor('float32', Float32Array.of(9, 9));
  const feeds = {
    get x() {
      copy.run({ x: other });
      return new Tensor('float32', Float32Array.of(1, 2));
    },
  };
  expect(copy.run(feeds).y!.data).toEqual(Float32Array.of(1, 2));
});

test('a model with more small inputs than fit beside each other still gets them all', () => {
  const names = Array.from({ length: 40 }, (_, i) => `x${i}`);
  const session = InferenceSession.createSync(
    model(
      graph(
        names.map((name) => ({ name, type: 'float32', dims: [null] })),
        [node('Concat', names, ['y'], [{ name: 'axis', type: 2, i: 0 }])],
        [{ name: 'y', type: 'float32', dims: [null] }],
      ),
    ),
  );
  const feeds = Object.fromEntries(
    names.map((name, i) => [name, new Tensor('float32', new Float32Array(1000).fill(i))]),
  );
  for (let round = 0; round < 2; round++) {
    const data = session.run(feeds).y!.data;
    expect(data.length).toBe(40_000);
    for (let i = 0; i < 40; i++) expect(data[i * 1000 + 999]).toBe(i);
  }
});
