import onnxProto from 'onnx-proto';
import { type Dimension, type ElementType, elementTypeCode } from './tensor.js';

const { onnx } = onnxProto;

/** What a map's keys may be. */
export type MapKey = Extract<ElementType, 'string' | `int${string}` | `uint${string}`>;

/**
 * The type of a graph's input or output that need not be a tensor: what scikit-learn's exporter gives as
 * probabilities is `{ sequence: { map: 'int64', to: { tensor: 'float32', dims: [] } } }`.
 */
export type ValueType =
  | { tensor: ElementType; dims: readonly Dimension[] }
  | { sequence: ValueType }
  | { map: MapKey; to: ValueType }
  | { optional: ValueType };

/** @returns the protobuf message for a graph's input or output */
export function valueInfoProto(name: string, type: ValueType) {
  return onnx.ValueInfoProto.create({ name, type: typeProto(type) });
}

function typeProto(type: ValueType): ReturnType<typeof onnx.TypeProto.create> {
  if ('sequence' in type) {
    return onnx.TypeProto.create({ sequenceType: { elemType: typeProto(type.sequence) } });
  }
  if ('optional' in type) {
    return onnx.TypeProto.create({ optionalType: { elemType: typeProto(type.optional) } });
  }
  if ('map' in type) {
    const mapType = { keyType: elementTypeCode(type.map), valueType: typeProto(type.to) };
    return onnx.TypeProto.create({ mapType });
  }
  const elemType = elementTypeCode(type.tensor);
  const dim = type.dims.map((length) => {
    if (length === null) return {};
    return typeof length === 'string' ? { dimParam: length } : { dimValue: length };
  });
  return onnx.TypeProto.create({ tensorType: { elemType, shape: { dim } } });
}
