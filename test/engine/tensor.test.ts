import { Tensor, type TensorType } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError } from '../support/errors.js';

describe('a tensor', () => {
  test('has one axis where no shape is given', () => {
    expect(new Tensor('int8', Int8Array.of(1, 2, 3)).dims).toEqual([3]);
  });

  test('keeps the very array that it was given', () => {
    const data = new Float32Array(6);
    const tensor = new Tensor('float32', data, [2, 3]);
    expect(tensor.data).toBe(data);
    expect(tensor.size).toBe(6);
  });

  test('refuses data that does not fill its shape', () => {
    expectError(() => new Tensor('float32', new Float32Array(5), [2, 3]), {
      code: 'invalid_input',
      message: /Expected 6 elements for the shape \[2,3\] but received 5/,
    });
  });

  test('refuses the wrong kind of array', () => {
    expectError(() => new Tensor('float32', new Float64Array(1) as never, [1]), {
      code: 'invalid_input',
      message: /Expected Float32Array for a float32 tensor but received Float64Array/,
    });
    expectError(() => new Tensor('string', new Uint8Array(1) as never, [1]), {
      code: 'invalid_input',
      message: /Expected an array of strings/,
    });
  });

  test('refuses an unknown type', () => {
    expectError(() => new Tensor('complex64' as TensorType, new Float32Array(1)), {
      code: 'invalid_input',
      message: /complex64/,
    });
  });

  test.each([[[-1]], [[1.5]], [[Number.NaN]], [[2 ** 60]]])('refuses the shape %j', (dims) => {
    expectError(() => new Tensor('float32', new Float32Array(1), dims), { code: 'invalid_input' });
  });
});

describe('a tensor as JSON', () => {
  test('is nested as its axes are', () => {
    const tensor = new Tensor('int32', Int32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
    expect(JSON.stringify(tensor)).toBe('[[1,2],[3,4],[5,6]]');
  });

  test('is a bare value for a scalar', () => {
    expect(JSON.stringify(new Tensor('float64', Float64Array.of(2.5), []))).toBe('2.5');
  });

  test('keeps empty axes', () => {
    expect(JSON.stringify(new Tensor('uint8', new Uint8Array(0), [2, 0]))).toBe('[[],[]]');
  });

  test('decodes half precision', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x3555);
    expect(new Tensor('float16', bits).toJSON()).toEqual([1, -2, 2 ** -24, 65504, 0.333251953125]);
    const special = new Tensor('float16', Uint16Array.of(0x7c00, 0xfc00, 0x7e00)).toJSON();
    expect(special).toEqual([Infinity, -Infinity, Number.NaN]);
  });

  test('decodes bfloat16', () => {
    expect(new Tensor('bfloat16', Uint16Array.of(0x3f80, 0xc000, 0x3eab)).toJSON()).toEqual([
      1, -2, 0.333984375,
    ]);
  });

  test('shows booleans as booleans', () => {
    expect(new Tensor('bool', Uint8Array.of(0, 1)).toJSON()).toEqual([false, true]);
  });

  test('never rounds a 64-bit integer', () => {
    const data = BigInt64Array.of(7n, -9007199254740993n);
    expect(new Tensor('int64', data).toJSON()).toEqual([7, '-9007199254740993']);
  });
});
