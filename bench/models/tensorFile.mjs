import { readFileSync, writeFileSync } from 'node:fs';

/** What holds each element type's elements, by this package's names of the types; strings have a list. */
const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/**
 * @typedef {keyof typeof arrays | 'string'} ElementType
 * @typedef {InstanceType<typeof arrays[keyof typeof arrays]> | string[]} TensorData
 */

export const elementTypes = /** @type {ElementType[]} */ ([...Object.keys(arrays), 'string']);

/**
 * @param {ElementType} type
 * @param {number} elements
 * @returns {TensorData} for an output
 */
export function emptyData(type, elements) {
  return type === 'string' ? Array(elements).fill('') : new arrays[type](elements);
}

/**
 * @param {ElementType} type
 * @param {number} elements
 * @returns {TensorData} small values of the type, no two neighbours the same
 */
export function sampleData(type, elements) {
  if (type === 'string') return Array.from({ length: elements }, (_, i) => `text number ${i}`);
  if (type === 'int64') return BigInt64Array.from({ length: elements }, (_, i) => BigInt(i - 2));
  if (type === 'uint64') return BigUint64Array.from({ length: elements }, (_, i) => BigInt(i));
  const numbers = Array.from({ length: elements }, (_, i) => i % (type === 'bool' ? 2 : 100));
  return new arrays[type](numbers);
}

/**
 * @param {string} file
 * @param {TensorData} data written in this machine's byte order, strings as a line each
 */
export function writeTensorFile(file, data) {
  writeFileSync(file, Array.isArray(data) ? data.map((text) => `${text}\n`).join('') : data);
}

/**
 * @param {ElementType} type
 * @param {string} file as writeTensorFile writes it
 * @returns {TensorData}
 */
export function readTensorFile(type, file) {
  if (type === 'string') return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return new arrays[type](new Uint8Array(readFileSync(file)).buffer);
}
