/**
 * Tensors as a frame carries them: little-endian, row-major, unpadded. A string is its length (uint32) and
 * its UTF-8 bytes. The machines that the engine runs on are little-endian themselves.
 */
import { dataClasses, type TensorType } from './elementTypes.js';
import { elementCount, Tensor } from './tensor.js';

const lengthBytes = 4;

/**
 * Takes a tensor off the front of `bytes`, where it lies if its alignment allows that.
 *
 * @returns the tensor and how many bytes it took; undefined where `bytes` are too few
 */
export function takeTensor(
  type: TensorType,
  dims: readonly number[],
  bytes: Uint8Array,
): { tensor: Tensor; size: number } | undefined {
  const count = elementCount(dims);
  if (type === 'string') return takeStrings(count, dims, bytes);
  const DataClass = dataClasses[type];
  const size = count * DataClass.BYTES_PER_ELEMENT;
  if (size > bytes.byteLength) return undefined;
  const aligned = bytes.byteOffset % DataClass.BYTES_PER_ELEMENT === 0;
  const from = aligned ? bytes : bytes.slice(0, size);
  const data = new DataClass(from.buffer as ArrayBuffer, from.byteOffset, count);
  return { tensor: new Tensor(type, data, dims), size };
}

function takeStrings(count: number, dims: readonly number[], bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const data: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + lengthBytes > bytes.byteLength) return undefined;
    const start = at + lengthBytes;
    at = start + view.getUint32(at, true);
    if (at > bytes.byteLength) return undefined;
    data.push(decoder.decode(bytes.subarray(start, at)));
  }
  return { tensor: new Tensor('string', data, dims), size: at };
}

/** A tensor's bytes; a view of its data where that is no strings. */
export function bytesOf({ data }: Tensor): Uint8Array {
  if (!Array.isArray(data)) {
    return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  }
  const encoder = new TextEncoder();
  const texts = (data as string[]).map((text) => encoder.encode(text));
  const size = texts.reduce((sum, text) => sum + lengthBytes + text.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + lengthBytes);
    at += lengthBytes + text.length;
  }
  return bytes;
}
