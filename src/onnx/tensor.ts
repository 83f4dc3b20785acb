import onnxProto from 'onnx-proto';
import { CloudEasyMLError } from '../errors.js';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;

type Numbers = Iterable<number | bigint>;

/** A typed array's constructor, as far as it is used here. */
interface ArrayType<Element> {
  from(data: Numbers, map: (element: number | bigint) => Element): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
}

function numeric<Element>(
  code: number,
  array: ArrayType<Element>,
  convert: (element: number | bigint) => Element,
) {
  return {
    code,
    bytesPerElement: array.BYTES_PER_ELEMENT,
    pack: (data: Numbers): ArrayBufferView =>
      // What is packed already may be a large model's weights: it isn't copied here.
      ArrayBuffer.isView(data) && Object.is(data.constructor, array)
        ? data
        : array.from(data, convert),
  };
}

/** The number that ONNX gives each element type, and how its elements are packed. */
const numericTypes = {
  float32: numeric(DataType.FLOAT, Float32Array, Number),
  float64: numeric(DataType.DOUBLE, Float64Array, Number),
  float16: numeric(DataType.FLOAT16, Uint16Array, Number),
  bfloat16: numeric(DataType.BFLOAT16, Uint16Array, Number),
  int8: numeric(DataType.INT8, Int8Array, Number),
  uint8: numeric(DataType.UINT8, Uint8Array, Number),
  int16: numeric(DataType.INT16, Int16Array, Number),
  uint16: numeric(DataType.UINT16, Uint16Array, Number),
  int32: numeric(DataType.INT32, Int32Array, Number),
  uint32: numeric(DataType.UINT32, Uint32Array, Number),
  bool: numeric(DataType.BOOL, Uint8Array, Number),
  int64: numeric(DataType.INT64, BigInt64Array, BigInt),
  uint64: numeric(DataType.UINT64, BigUint64Array, BigInt),
};

/** An ONNX tensor's element type. */
export type ElementType = keyof typeof numericTypes | 'string';

/** A tensor's content; the engine's `Tensor` is one too. */
export interface TensorContent {
  type: ElementType;
  /** Sizes of the axes; `[]` is a scalar. */
  dims: readonly number[];
  /** Elements in row-major order; float16 and bfloat16 as their 16 bits, bool as 0 and 1. */
  data: Numbers | Iterable<string>;
}

/** One axis: its size, the name that it shares with other axes of the same size, or null if unknown. */
export type Dimension = number | string | null;

const utf8 = new TextEncoder();

function elementError(expected: string, received: unknown, type: ElementType, name: string) {
  return new CloudEasyMLError(
    'invalid_input',
    `Expected the ${type} tensor "${name}" to hold ${expected} but received a ${typeof received}.`,
    { path: name },
  );
}

function isTypedArray(data: TensorContent['data']): data is Numbers & ArrayBufferView {
  return ArrayBuffer.isView(data);
}

function numbersOf({ type, data }: TensorContent, name: string): Numbers {
  if (isTypedArray(data)) return data;
  return Array.from<number | bigint | string, number | bigint>(data, (element) => {
    if (typeof element === 'number' || typeof element === 'bigint') return element;
    throw elementError('numbers or bigints', element, type, name);
  });
}

function stringsOf({ type, data }: TensorContent, name: string): Uint8Array[] {
  return Array.from<number | bigint | string, Uint8Array>(data, (element) => {
    if (typeof element === 'string') return utf8.encode(element);
    throw elementError('strings', element, type, name);
  });
}

/** @returns the protobuf message for a tensor called `name` */
export function tensorProto(name: string, content: TensorContent) {
  const { type } = content;
  const dims = [...content.dims];
  const expectLength = (length: number) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (length === size) return;
    throw new CloudEasyMLError(
      'invalid_input',
      `Expected ${size} elements for the tensor "${name}" of shape [${dims.join(', ')}] but received ${length}.`,
      { path: name },
    );
  };
  if (type === 'string') {
    const stringData = stringsOf(content, name);
    expectLength(stringData.length);
    return onnx.TensorProto.create({ name, dims, dataType: DataType.STRING, stringData });
  }
  const { code, pack, bytesPerElement } = numericTypes[type];
  const { buffer, byteOffset, byteLength } = pack(numbersOf(content, name));
  expectLength(byteLength / bytesPerElement);
  const rawData = new Uint8Array(buffer, byteOffset, byteLength);
  return onnx.TensorProto.create({ name, dims, dataType: code, rawData });
}

/** Elements that lie in a file beside the model, which is how models over 2 GB are kept. */
export interface ExternalData {
  /** The file's path, relative to the model's folder. */
  file: string;
  /** Where in the file the elements begin, 0 unless told; a multiple of 4096 lets the file be mapped. */
  offset?: number;
}

/** @returns the protobuf message for a tensor called `name` whose elements are in a file */
export function externalTensorProto(
  name: string,
  type: Exclude<ElementType, 'string'>,
  dims: readonly number[],
  { file, offset = 0 }: ExternalData,
) {
  const { code, bytesPerElement } = numericTypes[type];
  const length = dims.reduce((product, dim) => product * dim, bytesPerElement);
  return onnx.TensorProto.create({
    name,
    dims: [...dims],
    dataType: code,
    dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: file },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(length) },
    ],
  });
}

/** The number that ONNX gives an element type. */
export function elementTypeCode(type: ElementType): number {
  return type === 'string' ? DataType.STRING : numericTypes[type].code;
}
