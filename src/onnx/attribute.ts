import onnxProto from 'onnx-proto';
import { CloudEasyMLError } from '../errors.js';
import { type TensorContent, tensorProto } from './tensor.js';

const { onnx } = onnxProto;
const { AttributeType } = onnx.AttributeProto;

/**
 * A node's attribute. ONNX tells integers and floats apart and JavaScript does not, so an integer is
 * a bigint (`{ axis: -1n }`) and a number is always a float (`{ alpha: 1 }`).
 */
export type Attribute =
  | bigint
  | number
  | string
  | readonly bigint[]
  | readonly number[]
  | readonly string[]
  | TensorContent
  | Subgraph;

/** A graph in an attribute, such as the body of a `Loop`. */
export interface Subgraph {
  graphProto(): ReturnType<typeof onnx.GraphProto.create>;
}

const utf8 = new TextEncoder();

function int64(value: bigint, name: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new CloudEasyMLError(
    'invalid_input',
    `Expected the attribute "${name}" to lie within ±2^53 but received ${value}.`,
    { path: name },
  );
}

/** @returns the protobuf message for an attribute, its type taken from the value's */
export function attributeProto(name: string, value: Attribute) {
  switch (typeof value) {
    case 'bigint':
      return { name, type: AttributeType.INT, i: int64(value, name) };
    case 'number':
      return { name, type: AttributeType.FLOAT, f: value };
    case 'string':
      return { name, type: AttributeType.STRING, s: utf8.encode(value) };
  }
  if ('graphProto' in value) return { name, type: AttributeType.GRAPH, g: value.graphProto() };
  if ('dims' in value) return { name, type: AttributeType.TENSOR, t: tensorProto('', value) };
  const bigints = value.filter((element) => typeof element === 'bigint');
  const numbers = value.filter((element) => typeof element === 'number');
  const strings = value.filter((element) => typeof element === 'string');
  if (value.length > 0) {
    if (bigints.length === value.length) {
      return { name, type: AttributeType.INTS, ints: bigints.map((each) => int64(each, name)) };
    }
    if (numbers.length === value.length)
      return { name, type: AttributeType.FLOATS, floats: numbers };
    if (strings.length === value.length) {
      return {
        name,
        type: AttributeType.STRINGS,
        strings: strings.map((element) => utf8.encode(element)),
      };
    }
  }
  throw new CloudEasyMLError(
    'invalid_input',
    `Expected the attribute "${name}" to be a list of bigints, of numbers or of strings that is not empty.`,
    { path: name },
  );
}
