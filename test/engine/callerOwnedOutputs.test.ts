import { InferenceSession, Tensor } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError, expectRejection } from '../support/errors.js';
import { identity, softmaxClassifier } from '../support/onnxModels.js';

const copy = InferenceSession.createSync(identity('float32', [null]));

describe.each([
  ['a small tensor', 5],
  ['a large tensor', 50_000],
])('%s of the caller', (_, length) => {
  const x = new Tensor(
    'float32',
    Float32Array.from({ length }, (_, i) => i),
  );

  test('takes the output, again and again', () => {
    const y = new Tensor('float32', new Float32Array(length));
    for (let round = 1; round <= 3; round++) {
      (x.data as Float32Array)[length - 1] = round;
      const outputs = { y };
      expect(copy.run({ x }, outputs)).toBe(outputs);
      expect(y.data).toEqual(x.data);
    }
  });

  test('may be another one each time', () => {
    const first = new Tensor('float32', new Float32Array(length));
    const second = new Tensor('float32', new Float32Array(length));
    copy.run({ x }, { y: first });
    (x.data as Float32Array)[0] = 42;
    copy.run({ x }, { y: second });
    expect(second.data[0]).toBe(42);
    expect(first.data[0]).not.toBe(42);
  });

  test('is left alone by a later run that does not bring it', () => {
    const y = new Tensor('float32', new Float32Array(length));
    copy.run({ x }, { y });
    const before = y.data.slice();
    const other = new Tensor('float32', new Float32Array(length).fill(-1));
    expect(copy.run({ x: other }).y!.data).toEqual(other.data);
    expect(y.data).toEqual(before);
  });

  test('takes the output of an asynchronous run', async () => {
    const y = new Tensor('float32', new Float32Array(length));
    await copy.runAsync({ x }, { outputs: { y } });
    expect(y.data).toEqual(x.data);
  });

  test('may be the input itself', () => {
    const both = new Tensor('float32', new Float32Array(length).fill(7));
    copy.run({ x: both }, { y: both });
    expect(both.data).toEqual(new Float32Array(length).fill(7));
  });

  test('is refused once it is detached', () => {
    const y = new Tensor('float32', new Float32Array(length));
    copy.run({ x }, { y });
    structuredClone(y.data.buffer, { transfer: [y.data.buffer as ArrayBuffer] });
    expectError(() => copy.run({ x }, { y }), { code: 'invalid_input', path: 'y' });
  });

  test('is refused where its shape is not the output’s', async () => {
    const y = new Tensor('float32', new Float32Array(length + 1));
    expectError(() => copy.run({ x }, { y }), { code: 'invalid_input' });
    await expectRejection(copy.runAsync({ x }, { outputs: { y } }), { code: 'invalid_input' });
    expect(copy.run({ x }).y!.size).toBe(length);
  });
});

test('a tensor of another type or width is refused before the run', () => {
  const session = InferenceSession.createSync(softmaxClassifier());
  const x = new Tensor('float32', new Float32Array(4), [1, 4]);
  expectError(() => session.run({ x }, { y: new Tensor('int32', new Int32Array(3), [1, 3]) }), {
    code: 'invalid_input',
    path: 'y',
    message: /Expected float32 \[batch, 3\] for "y" but received int32 \[1, 3\]/,
  });
  expectError(() => session.run({ x }, { y: new Tensor('float32', new Float32Array(4), [1, 4]) }), {
    code: 'invalid_input',
    path: 'y',
  });
  expectError(() => session.run({ x }, { z: x }), { code: 'invalid_input', path: 'z' });
  expectError(() => session.run({ x }, { y: [0, 0, 0] } as never), {
    code: 'invalid_input',
    path: 'y',
  });
});

test('outputs that the engine allocates stay as they are when the model runs again', () => {
  for (const length of [3, 50_000]) {
    const first = copy.run({ x: new Tensor('float32', new Float32Array(length).fill(1)) }).y!;
    const second = copy.run({ x: new Tensor('float32', new Float32Array(length).fill(2)) }).y!;
    expect(first.data).toEqual(new Float32Array(length).fill(1));
    expect(second.data).toEqual(new Float32Array(length).fill(2));
  }
});

test('outputs outlive the session that made them', () => {
  const session = InferenceSession.createSync(identity('float32', ['brief']));
  const y = session.run({ x: new Tensor('float32', new Float32Array(50_000).fill(4)) }).y!;
  session.release();
  expect(y.data).toEqual(new Float32Array(50_000).fill(4));
});
