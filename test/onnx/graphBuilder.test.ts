import { InferenceSession, Tensor } from 'cloudeasyml';
import {
  type Attribute,
  type ElementType,
  GraphBuilder,
  type TensorContent,
  type ValueType,
} from 'cloudeasyml/onnx';
import { expect, test } from 'vitest';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const contents: [ElementType, TensorContent['data'], unknown[]][] = [
  ['float32', [1.5, -2], [1.5, -2]],
  ['float64', [0.1, -2], [0.1, -2]],
  ['float16', [0x3c00, 0x8000], [0x3c00, 0x8000]],
  ['bfloat16', [0x3f80, 0], [0x3f80, 0]],
  ['int8', [127, -128], [127, -128]],
  ['uint8', [255, 0], [255, 0]],
  ['int16', [32767, -32768], [32767, -32768]],
  ['uint16', [65535, 0], [65535, 0]],
  ['int32', [2147483647, -1], [2147483647, -1]],
  ['uint32', [4294967295, 0], [4294967295, 0]],
  ['int64', [2n ** 63n - 1n, -1n], [2n ** 63n - 1n, -1n]],
  ['uint64', [2n ** 64n - 1n, 0n], [2n ** 64n - 1n, 0n]],
  ['bool', [1, 0], [1, 0]],
  ['string', ['', 'žluťoučký'], ['', 'žluťoučký']],
];

test.each(contents)('keeps a %s initializer exactly', async (type, data, elements) => {
  const graph = new GraphBuilder('constant');
  graph.constant('kept', type, [2], data);
  graph.node('Identity', ['kept'], { outputs: ['y'] });
  graph.output('y', type, [2]);
  const session = await InferenceSession.create(graph.toModel());
  const { y } = session.run({});
  expect(y!.type).toBe(type);
  expect(Array.from<unknown>(y!.data)).toEqual(elements);
  session.release();
});

test('takes typed arrays, also views into larger ones, and numbers for int64', async () => {
  const graph = new GraphBuilder('views');
  graph.constant('view', 'float32', [2], new Float32Array([9, 1, 2, 9]).subarray(1, 3));
  graph.constant('shape', 'int64', [2], [2, 1]);
  graph.node('Reshape', ['view', 'shape'], { outputs: ['y'] });
  graph.output('y', 'float32', [2, 1]);
  const session = await InferenceSession.create(graph.toModel());
  expect(session.run({}).y!.toJSON()).toEqual([[1], [2]]);
  session.release();
});

test('declares fixed, symbolic and unknown axes', async () => {
  const graph = new GraphBuilder('axes');
  graph.input('x', 'float32', ['batch', null, 3]);
  graph.node('Relu', ['x'], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', null, 3]);
  const session = await InferenceSession.create(graph.toModel());
  expect(session.inputs).toEqual([{ name: 'x', type: 'float32', dims: ['batch', null, 3] }]);
  session.release();
});

test('tells integer, float, string, list and tensor attributes apart', async () => {
  const graph = new GraphBuilder('attributes');
  graph.input('x', 'float32', [2, 3]);
  const transposed = graph.node('Transpose', ['x'], { attributes: { perm: [1n, 0n] } });
  const value: TensorContent = { type: 'float32', dims: [2, 1], data: [10, 100] };
  const constant = graph.node('Constant', [], { attributes: { value } });
  const alpha = { alpha: 2, transB: 0n };
  const product = graph.node('Gemm', [transposed, constant], { attributes: alpha });
  graph.node('Flatten', [product], { attributes: { axis: 0n }, outputs: ['y'] });
  graph.output('y', 'float32', [1, 3]);
  const session = await InferenceSession.create(graph.toModel());
  const x = new Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  expect(session.run({ x }).y!.toJSON()).toEqual([[820, 1040, 1260]]);
  session.release();
});

test('writes a loop whose body sees the values around it', async () => {
  const graph = new GraphBuilder('power');
  graph.input('times', 'int64', []);
  graph.input('x', 'float32', []);
  graph.constant('one', 'float32', [], [1]);
  graph.constant('always', 'bool', [], [1]);
  const body = graph.subgraph('body');
  body.input('step', 'int64', []);
  body.input('going', 'bool', []);
  body.input('power', 'float32', []);
  body.node('Identity', ['going'], { outputs: ['goingOn'] });
  body.node('Mul', ['power', 'x'], { outputs: ['nextPower'] });
  body.output('goingOn', 'bool', []);
  body.output('nextPower', 'float32', []);
  graph.node('Loop', ['times', 'always', 'one'], { attributes: { body }, outputs: ['y'] });
  graph.output('y', 'float32', []);
  const session = await InferenceSession.create(graph.toModel());
  const times = new Tensor('int64', BigInt64Array.of(5n), []);
  const x = new Tensor('float32', Float32Array.of(3), []);
  expect(session.run({ times, x }).y!.data[0]).toBe(243);
  session.release();
});

test('declares sequences, maps and optionals, each as what it is', async () => {
  const tensor: ValueType = { tensor: 'float32', dims: ['batch', 2] };
  const build = (type: ValueType, operator: string, domain = '') => {
    const graph = new GraphBuilder('types');
    const x = graph.input('x', 'float32', ['batch', 2]);
    const attributes: Record<string, Attribute> =
      operator === 'ZipMap' ? { classlabels_strings: ['a', 'b'] } : {};
    graph.node(operator, [x], { domain, outputs: ['y'], attributes });
    graph.output('y', type);
    return InferenceSession.create(graph.toModel());
  };
  const record: ValueType = { map: 'string', to: { tensor: 'float32', dims: [] } };
  // ONNX Runtime holds the declared types against those that it infers.
  for (const opening of [
    build({ sequence: tensor }, 'SequenceConstruct'),
    build({ sequence: record }, 'ZipMap', 'ai.onnx.ml'),
    build({ optional: tensor }, 'Optional'),
  ]) {
    const session = await opening;
    expect(session.outputs).toEqual([]);
    session.release();
  }
  await expect(build({ sequence: record }, 'SequenceConstruct')).rejects.toMatchObject({
    code: 'model_load_failed',
  });

  const graph = new GraphBuilder('maps');
  graph.input('x', { map: 'int64', to: { tensor: 'float32', dims: [] } });
  graph.node('CastMap', ['x'], { domain: 'ai.onnx.ml', outputs: ['y'] });
  graph.output('y', 'float32', [1, null]);
  await expect(InferenceSession.create(graph.toModel())).rejects.toThrow(
    'The model\'s input "x" is of the type',
  );
});

test('keeps weights in a file beside the model, from any place in it', async () => {
  const folder = temporaryFolder();
  const graph = new GraphBuilder('external');
  graph.input('x', 'float32', ['batch', 2]);
  const first = graph.externalConstant('first', 'float32', [2], { file: 'weights.bin' });
  const data = { file: 'weights.bin', offset: 4096 };
  const second = graph.externalConstant('second', 'float32', [2], data);
  graph.node('Add', [graph.node('Mul', ['x', first]), second], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 2]);
  const weights = new Float32Array(1026);
  weights.set([2, 3]);
  weights.set([10, 20], 1024);
  writeIn(folder, 'weights.bin', new Uint8Array(weights.buffer));
  const session = await InferenceSession.create(writeIn(folder, 'model.onnx', graph.toModel()));
  const x = new Tensor('float32', Float32Array.of(1, 1), [1, 2]);
  expect(session.run({ x }).y!.toJSON()).toEqual([[12, 23]]);
  session.release();
});

test('refuses a name that is taken or was never made', () => {
  const graph = new GraphBuilder('names');
  graph.input('x', 'float32', [1]);
  expect(() => graph.constant('x', 'float32', [1], [1])).toThrow(/new to the graph "names".*"x"/);
  expect(() => graph.node('Relu', ['z'])).toThrow(/"z", which Relu uses/);
  expect(() => graph.output('w', 'float32', [1])).toThrow(/"w"/);
  expect(() => graph.subgraph('body').input('x', 'float32', [])).toThrow(/"x"/);
});

test('refuses data that does not fill its shape or is of another kind', () => {
  const graph = new GraphBuilder('data');
  expect(() => graph.constant('a', 'float32', [2, 2], [1, 2, 3])).toThrow(
    'Expected 4 elements for the tensor "a" of shape [2, 2] but received 3.',
  );
  expect(() => graph.constant('b', 'float32', [1], ['1'])).toThrow(/numbers.*received a string/);
  expect(() => graph.constant('c', 'string', [1], [1])).toThrow(/strings but received a number/);
  const attributes = { axes: [] };
  expect(() => graph.node('Constant', [], { attributes })).toThrow(/"axes".*not empty/);
});
