import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomRequest } from '../../dist/tuning/sampleRequest.js';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { doubling } from '../support/awkward/shapes.js';
import { addingPairs, scaling } from '../support/servedModels.js';

/** A random request's data, each list as its length and its first member: [2, 3, 'number']. */
async function shapeOf(model: Uint8Array): Promise<unknown> {
  const folder = await temporaryFolder({ 'model.onnx': model });
  const body = JSON.parse(await randomRequest(path.join(folder, 'model.onnx')));
  const shape = (value: unknown): unknown =>
    Array.isArray(value) ? [value.length, ...[shape(value[0])].flat()] : typeof value;
  const { data } = body;
  if (Array.isArray(data) || typeof data !== 'object') return shape(data);
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, shape(value)]));
}

describe('a random request', () => {
  it('has one row where the first axis is open', async () => {
    expect(await shapeOf(doubling(['batch', 3]))).toEqual([1, 3, 'number']);
    expect(await shapeOf(doubling([null, 2, 2]))).toEqual([1, 2, 2, 'number']);
    expect(await shapeOf(scaling())).toEqual({ x: [1, 2, 'number'], factor: 'number' });
  });

  it('is the whole tensor where it is fixed', async () => {
    expect(await shapeOf(doubling([4]))).toEqual([4, 'number']);
    expect(await shapeOf(doubling([4, 3]))).toEqual([4, 3, 'number']);
    expect(await shapeOf(doubling([1, 4]))).toEqual([1, 4, 'number']);
    expect(await shapeOf(doubling([]))).toBe('number');
  });

  it('can’t be made where another axis is open', async () => {
    await expect(shapeOf(addingPairs())).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('the input a, float32 [batch, length]'),
    });
  });
});
