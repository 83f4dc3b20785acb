/** Tensors as a binary frame carries them, from nested lists as JSON has them. */
import type { ElementType } from 'cloudeasyml/onnx';

export interface PackedTensor {
  type: ElementType;
  dims: number[];
  bytes: Uint8Array;
}

/** Elements as nested lists; of one value where the tensor is a scalar. */
export type Nested = number | bigint | boolean | string | readonly Nested[];

/** @param value lists as deep as the tensor has axes; halves must hold it exactly */
export function pack(type: ElementType, value: Nested): PackedTensor {
  const flat: unknown[] = [];
  const dims: number[] = [];
  const walk = (part: Nested, axis: number) => {
    if (!Array.isArray(part)) {
      flat.push(part);
      return;
    }
    dims[axis] = part.length;
    for (const each of part) walk(each, axis + 1);
  };
  walk(value, 0);
  return { type, dims, bytes: bytesOf(type, flat) };
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
};

function bytesOf(type: ElementType, flat: unknown[]): Uint8Array {
  if (type === 'string') return stringBytes(flat.map(String));
  const numbers = () => flat.map(Number);
  if (type === 'int64') return viewed(BigInt64Array.from(flat as bigint[], BigInt));
  if (type === 'uint64') return viewed(BigUint64Array.from(flat as bigint[], BigInt));
  if (type === 'float16') return viewed(Uint16Array.from(numbers(), float16Bits));
  if (type === 'bfloat16') return viewed(Uint16Array.from(numbers(), bfloat16Bits));
  return viewed(arrays[type].from(numbers()));
}

function viewed({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Each as the length of its UTF-8 and the UTF-8. */
function stringBytes(texts: string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const utf8 = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(utf8.length);
      return [length, utf8];
    }),
  );
}

function float32Bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

function bfloat16Bits(value: number): number {
  return float32Bits(value) >>> 16;
}

function float16Bits(value: number): number {
  const bits = float32Bits(value);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = (bits >>> 13) & 0x3ff;
  if (exponent === 0) return sign;
  if (exponent === 0xff) return sign | 0x7c00 | (Number.isNaN(value) ? 0x200 : 0);
  return sign | ((exponent - 112) << 10) | fraction;
}
