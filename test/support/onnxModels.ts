/** Tiny ONNX models for the engine's tests, as the bytes of an .onnx file. */

import type { TensorType } from 'cloudeasyml';
import { onnx } from 'onnx-proto';

type Dims = readonly (number | string | null)[];

export interface Value {
  name: string;
  type: TensorType;
  dims: Dims;
}

const elementTypes: Record<TensorType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

function valueInfo({ name, type, dims }: Value): onnx.IValueInfoProto {
  const dim = dims.map((length) => {
    if (typeof length === 'number') return { dimValue: length };
    return length === null ? {} : { dimParam: length };
  });
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}

export function node(
  opType: string,
  input: string[],
  output: string[],
  attribute: onnx.IAttributeProto[] = [],
): onnx.INodeProto {
  return { opType, input, output, attribute, name: `${opType}_${output[0]}` };
}

export function floats(
  name: string,
  dims: readonly number[],
  values: readonly number[],
): onnx.ITensorProto {
  return { name, dataType: 1, dims: [...dims], rawData: bytesOf(Float32Array.from(values)) };
}

export function int64s(
  name: string,
  dims: readonly number[],
  values: readonly bigint[],
): onnx.ITensorProto {
  return { name, dataType: 7, dims: [...dims], rawData: bytesOf(BigInt64Array.from(values)) };
}

export function bools(name: string, dims: readonly number[], values: boolean[]): onnx.ITensorProto {
  return { name, dataType: 9, dims: [...dims], rawData: Uint8Array.from(values, Number) };
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export function graph(
  inputs: Value[],
  nodes: onnx.INodeProto[],
  outputs: Value[],
  initializer: onnx.ITensorProto[] = [],
): onnx.IGraphProto {
  return {
    name: 'test',
    input: inputs.map(valueInfo),
    output: outputs.map(valueInfo),
    node: nodes,
    initializer,
  };
}

export function model(graph: onnx.IGraphProto): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph,
  }).finish();
}

/** y = x, of any type and shape. */
export function identity(type: TensorType, dims: Dims): Uint8Array {
  return model(
    graph(
      [{ name: 'x', type, dims }],
      [node('Identity', ['x'], ['y'])],
      [{ name: 'y', type, dims }],
    ),
  );
}

/** y = softmax(x · weights): x [batch, 4] → y [batch, 3]. */
export function softmaxClassifier(): Uint8Array {
  const weights = [0.2, -0.4, 0.1, 0.5, 0.3, -0.2, -0.6, 0.1, 0.9, -0.3, 0.2, 0.7];
  return model(
    graph(
      [{ name: 'x', type: 'float32', dims: ['batch', 4] }],
      [
        node('MatMul', ['x', 'weights'], ['scores']),
        node('Softmax', ['scores'], ['y'], [{ name: 'axis', type: 2, i: -1 }]),
      ],
      [{ name: 'y', type: 'float32', dims: ['batch', 3] }],
      [floats('weights', [4, 3], weights)],
    ),
  );
}

/** y = x + 1, `count` times in a loop: a run that lasts as long as one likes. x and y are scalars. */
export function countingLoop(): Uint8Array {
  const body: onnx.IGraphProto = {
    ...graph(
      [
        { name: 'step', type: 'int64', dims: [] },
        { name: 'goOn', type: 'bool', dims: [] },
        { name: 'value', type: 'float32', dims: [] },
      ],
      [node('Identity', ['goOn'], ['goOnNext']), node('Add', ['value', 'one'], ['next'])],
      [
        { name: 'goOnNext', type: 'bool', dims: [] },
        { name: 'next', type: 'float32', dims: [] },
      ],
      [floats('one', [], [1])],
    ),
  };
  return model(
    graph(
      [
        { name: 'count', type: 'int64', dims: [] },
        { name: 'x', type: 'float32', dims: [] },
      ],
      [node('Loop', ['count', 'always', 'x'], ['y'], [{ name: 'body', type: 5, g: body }])],
      [{ name: 'y', type: 'float32', dims: [] }],
      [bools('always', [], [true])],
    ),
  );
}

/** Weights that lie in a file beside the model. */
export function externalFloats(
  name: string,
  dims: readonly number[],
  file: string,
): onnx.ITensorProto {
  return {
    name,
    dataType: 1,
    dims: [...dims],
    dataLocation: 1,
    externalData: [{ key: 'location', value: file }],
  };
}
