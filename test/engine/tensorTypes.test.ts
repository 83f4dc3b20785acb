import { InferenceSession, Tensor, type TensorData, type TensorType } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { identity } from '../support/onnxModels.js';

const samples: Record<TensorType, TensorData> = {
  float32: Float32Array.of(0, -1.5, 3.4e38, Number.POSITIVE_INFINITY),
  float64: Float64Array.of(0.1, -1e308, Number.MIN_VALUE, 2),
  float16: Uint16Array.of(0x3c00, 0x0001, 0x7c00, 0xffff),
  bfloat16: Uint16Array.of(0x3f80, 0x0001, 0x7f80, 0xffff),
  int8: Int8Array.of(-128, 127, 0, 1),
  uint8: Uint8Array.of(0, 255, 1, 2),
  int16: Int16Array.of(-32768, 32767, 0, 1),
  uint16: Uint16Array.of(0, 65535, 1, 2),
  int32: Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1),
  uint32: Uint32Array.of(0, 2 ** 32 - 1, 1, 2),
  int64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 9007199254740993n, 0n),
  uint64: BigUint64Array.of(0n, 2n ** 64n - 1n, 9007199254740993n, 1n),
  bool: Uint8Array.of(0, 1, 1, 0),
  string: ['', 'plain', 'nul\0inside', 'schön 日本語 🚀'],
};

/** The sample again and again, until it is too large to be copied as a small tensor. */
function repeated(data: TensorData, times: number): TensorData {
  if (Array.isArray(data)) return Array.from({ length: times }, () => data).flat();
  const longer = new (data.constructor as Float32ArrayConstructor)(data.length * times);
  for (let i = 0; i < times; i++) longer.set(data as Float32Array, i * data.length);
  return longer;
}

describe.each(Object.keys(samples) as TensorType[])('%s', (type) => {
  const session = InferenceSession.createSync(identity(type, [null]));

  test.each([1, 5000])('goes through a model unchanged, %i times', (times) => {
    const data = repeated(samples[type], times);
    const y = session.run({ x: new Tensor(type, data, [data.length]) }).y!;
    expect(y.type).toBe(type);
    expect(y.dims).toEqual([data.length]);
    expect(y.data).toEqual(data);
  });

  test.each([1, 5000])('goes through a promise unchanged, %i times', async (times) => {
    const data = repeated(samples[type], times);
    const { y } = await session.runAsync({ x: new Tensor(type, data, [data.length]) });
    expect(y!.type).toBe(type);
    expect(y!.dims).toEqual([data.length]);
    expect(y!.data).toEqual(data);
  });

  test('may be empty', async () => {
    const none = samples[type].slice(0, 0) as TensorData;
    const y = session.run({ x: new Tensor(type, none, [0]) }).y!;
    expect(y.dims).toEqual([0]);
    expect(y.data).toEqual(none);
    const later = await session.runAsync({ x: new Tensor(type, none, [0]) });
    expect(later.y!.dims).toEqual([0]);
  });

  test('may be a scalar', () => {
    const one = samples[type].slice(1, 2) as TensorData;
    const scalar = InferenceSession.createSync(identity(type, []));
    const y = scalar.run({ x: new Tensor(type, one, []) }).y!;
    expect(y.dims).toEqual([]);
    expect(y.data).toEqual(one);
  });
});

test('texts of any length and alphabet go through unchanged', () => {
  const session = InferenceSession.createSync(identity('string', [null]));
  for (const character of ['a', 'é', '日', '🚀']) {
    const lengths = [...Array(300).keys(), 1000, 100_000];
    const texts = lengths.map((length) => character.repeat(length));
    const { y } = session.run({ x: new Tensor('string', texts, [texts.length]) });
    expect(y!.data).toEqual(texts);
  }
});

describe('shapes', () => {
  const session = InferenceSession.createSync(identity('float32', ['batch', 3]));

  test('may differ from run to run', () => {
    for (const rows of [1, 7, 0, 2000, 3, 3, 2000, 1]) {
      const data = Float32Array.from({ length: rows * 3 }, (_, i) => i + rows);
      const y = session.run({ x: new Tensor('float32', data, [rows, 3]) }).y!;
      expect(y.dims).toEqual([rows, 3]);
      expect(y.data).toEqual(data);
    }
  });

  test('may have an axis of no length beside others', () => {
    const wide = InferenceSession.createSync(identity('float32', [null, null, null]));
    const y = wide.run({ x: new Tensor('float32', new Float32Array(0), [4, 0, 2]) }).y!;
    expect(y.dims).toEqual([4, 0, 2]);
  });

  test('of the model are described', () => {
    expect(session.inputs).toEqual([{ name: 'x', type: 'float32', dims: ['batch', 3] }]);
    expect(session.outputs).toEqual([{ name: 'y', type: 'float32', dims: ['batch', 3] }]);
    const open = InferenceSession.createSync(identity('int64', [null, 2]));
    expect(open.inputs[0]!.dims).toEqual([null, 2]);
  });
});
