/** What JavaScript knows of each tensor type: the array that holds it, and how its bits become numbers. */

export interface TensorDataOf {
  float32: Float32Array;
  float64: Float64Array;
  /** IEEE half precision, as bits. */
  float16: Uint16Array;
  /** The upper half of a float32, as bits. */
  bfloat16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  /** One byte per element, 0 or 1. */
  bool: Uint8Array;
  string: string[];
}

export type TensorType = keyof TensorDataOf;
export type TensorData = TensorDataOf[TensorType];
export type NumericData = Exclude<TensorData, string[]>;

/** A typed array's class, in the forms that the engine calls. */
export interface NumericDataClass {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): NumericData;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): NumericData;
}

export const dataClasses: Record<Exclude<TensorType, 'string'>, NumericDataClass> = {
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

export function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'string' && (value === 'string' || Object.hasOwn(dataClasses, value));
}

/** The type of a tensor over a typed array: the first that its class holds. Undefined for anything else. */
export function typeOfArray(value: unknown): Exclude<TensorType, 'string'> | undefined {
  const DataClass = ArrayBuffer.isView(value) && value.constructor;
  const types = Object.keys(dataClasses) as Exclude<TensorType, 'string'>[];
  const plain = types.filter((type) => !['float16', 'bfloat16', 'bool'].includes(type));
  return plain.find((type) => dataClasses[type] === DataClass);
}

/** The number that a half precision float's bits stand for. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

/** The number that a bfloat16's bits stand for. */
export function bfloat16ToNumber(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** A 64-bit integer for JSON: a number where that is exact, else its decimal digits as a string. */
export function int64ToJSON(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
