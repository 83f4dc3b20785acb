import { InferenceSession } from 'cloudeasyml';
import { onnx } from 'onnx-proto';
import { expect, test } from 'vitest';
import { openSessionSync } from '../../dist/engine/openSession.js';
import { expectError } from '../support/errors.js';
import { node } from '../support/onnxModels.js';

const tensor = (elemType: number): onnx.ITypeProto => ({
  tensorType: { elemType, shape: { dim: [{ dimParam: 'n' }] } },
});
const sequence = (elemType: onnx.ITypeProto): onnx.ITypeProto => ({ sequenceType: { elemType } });
const map = (keyType: number, valueType: onnx.ITypeProto): onnx.ITypeProto => ({
  mapType: { keyType, valueType },
});
const optional = (elemType: onnx.ITypeProto): onnx.ITypeProto => ({ optionalType: { elemType } });

const [float32, int64, string, bool] = [1, 7, 8, 9];
const scalar = (elemType: number): onnx.ITypeProto => ({ tensorType: { elemType, shape: {} } });

/** A model of one node with one input x and one output y. */
function oneNode(
  { opType, domain = '', attribute = [] }: onnx.INodeProto,
  x: onnx.ITypeProto,
  y: onnx.ITypeProto,
): Uint8Array {
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    graph: {
      name: 'test',
      input: [{ name: 'x', type: x }],
      output: [{ name: 'y', type: y }],
      node: [{ ...node(opType!, ['x'], ['y'], attribute!), domain }],
    },
  }).finish();
}

const zipMap = (labels: onnx.IAttributeProto): onnx.INodeProto => ({
  opType: 'ZipMap',
  domain: 'ai.onnx.ml',
  attribute: [labels],
});
const scores: onnx.ITypeProto = {
  tensorType: { elemType: float32, shape: { dim: [{ dimParam: 'n' }, { dimValue: 2 }] } },
};

const places: onnx.ITypeProto = {
  tensorType: { elemType: int64, shape: { dim: [{ dimValue: 1 }, { dimParam: 'found' }] } },
};

function outputTypes(model: Uint8Array): string[] {
  return openSessionSync(model, {}).outputs.map(({ type }) => type);
}

test.each([
  ['a tensor', 'int64', oneNode({ opType: 'NonZero' }, tensor(float32), places)],
  [
    'a sequence of tensors',
    'sequence(float32)',
    oneNode({ opType: 'SequenceConstruct' }, tensor(float32), sequence(tensor(float32))),
  ],
  [
    'a sequence of maps with numbers for keys',
    'sequence(map(int64, float32))',
    oneNode(
      zipMap({ name: 'classlabels_int64s', type: 7, ints: [3, 5] }),
      scores,
      sequence(map(int64, scalar(float32))),
    ),
  ],
  [
    'a sequence of maps with names for keys',
    'sequence(map(string, float32))',
    oneNode(
      zipMap({
        name: 'classlabels_strings',
        type: 8,
        strings: ['a', 'b'].map((s) => Buffer.from(s)),
      }),
      scores,
      sequence(map(string, scalar(float32))),
    ),
  ],
  [
    'an optional',
    'optional(float32)',
    oneNode({ opType: 'Optional' }, tensor(float32), optional(tensor(float32))),
  ],
])('an output that is %s is known as %s', (_, type, model) => {
  expect(outputTypes(model)).toEqual([type]);
});

test.each([
  [
    'map(int64, float32)',
    oneNode(
      { opType: 'CastMap', domain: 'ai.onnx.ml' },
      map(int64, scalar(float32)),
      tensor(float32),
    ),
  ],
  [
    'sequence(float32)',
    oneNode({ opType: 'SequenceLength' }, sequence(tensor(float32)), scalar(int64)),
  ],
  [
    'optional(float32)',
    oneNode({ opType: 'OptionalHasElement' }, optional(tensor(float32)), scalar(bool)),
  ],
])('an input of the type %s is refused by name', (type, model) => {
  const open = () => InferenceSession.createSync(model);
  expectError(open, {
    code: 'model_load_failed',
    message: /^The model's input "x" is of the type /,
  });
  expect(open).toThrow(`the type ${type}, which the engine does not carry`);
});
