import { InferenceSession, Tensor } from 'cloudeasyml';
import { expect, test } from 'vitest';
import type { Tape, Value } from '../../plugins/textGeneration/training/tape.js';
import { Random } from '../support/random.js';
import { importPlugin } from './importPlugin.js';

type TapeModule = typeof import('../../plugins/textGeneration/training/tape.js');
const tapeModule = await importPlugin<TapeModule>('plugins/textGeneration/training/tape.ts');
type NetworkModule = typeof import('../../plugins/textGeneration/training/network.js');
const { decoderNetwork, initialParameters, parameterDims } = await importPlugin<NetworkModule>(
  'plugins/textGeneration/training/network.ts',
);
type RandomModule = typeof import('../../plugins/textGeneration/random.js');
const plugin = await importPlugin<RandomModule>('plugins/textGeneration/random.ts');

type Values = Record<string, Float32Array>;

function size(dims: readonly number[]): number {
  return dims.reduce((product, length) => product * length, 1);
}

/** Multiplies with fixed weights and sums, by a product of matrices: a scalar of any value. */
function weightedSum(tape: Tape, value: Value): Value {
  const count = size(value.dims.map(Number));
  const weights = Array.from({ length: count }, (_, i) => Math.sin(3 * i + 1));
  const row = tape.reshape(value, [1, count]);
  const name = tape.graph.constant('sum weights', 'float32', [count, 1], weights);
  return tape.reshape(tape.matMul(row, { name, dims: [count, 1] }), []);
}

/** Compares gradients with the slope between two points to either side, element by element. */
async function checkGradients(
  dims: Record<string, readonly number[]>,
  build: (tape: Tape, parameters: Record<string, Value>) => Value,
  start: (name: string) => Float32Array,
  elements = Number.POSITIVE_INFINITY,
) {
  const tape = new tapeModule.Tape('check');
  const parameters = Object.fromEntries(
    Object.entries(dims).map(([name, own]) => [name, tape.parameter(name, own)]),
  );
  const loss = build(tape, parameters);
  tape.gradients(loss, Object.values(parameters)).forEach((gradient, index) => {
    const name = Object.keys(dims)[index]!;
    expect(gradient.dims).toEqual(dims[name]);
    tape.graph.node('Identity', [gradient.name], { outputs: [`d ${name}`] });
    tape.graph.output(`d ${name}`, 'float32', dims[name]!);
  });
  tape.graph.node('Identity', [loss.name], { outputs: ['loss'] });
  tape.graph.output('loss', 'float32', []);
  const session = await InferenceSession.create(tape.graph.toModel());
  const run = (values: Values) =>
    session.run(
      Object.fromEntries(
        Object.entries(values).map(([name, data]) => [
          name,
          new Tensor('float32', data, dims[name]),
        ]),
      ),
    );
  const values = Object.fromEntries(Object.keys(dims).map((name) => [name, start(name)]));
  const outputs = run(values);
  const h = 1e-2;
  for (const [name, data] of Object.entries(values)) {
    const step = Math.max(1, Math.floor(data.length / elements));
    for (let i = 0; i < data.length; i += step) {
      const lossAt = (value: number) =>
        Number(run({ ...values, [name]: data.with(i, value) }).loss!.data[0]);
      const slope = (lossAt(data[i]! + h) - lossAt(data[i]! - h)) / (2 * h);
      const gradient = Number(outputs[`d ${name}`]!.data[i]);
      expect(Math.abs(gradient - slope), `${name}[${i}]: ${gradient} for ${slope}`).toBeLessThan(
        2e-3 + 0.01 * Math.abs(slope),
      );
    }
  }
  session.release();
}

const random = new Random(3);
const values = (dims: Record<string, readonly number[]>) => (name: string) =>
  Float32Array.from({ length: size(dims[name]!) }, () => 2 * random.next() - 1);

type Case = [
  string,
  Record<string, readonly number[]>,
  (tape: Tape, p: Record<string, Value>) => Value,
];

const indices = (tape: Tape, list: number[], dims: number[]): Value => ({
  name: tape.graph.constant('indices', 'int64', dims, list),
  dims,
});

const cases: Case[] = [
  ['add', { a: [2, 3], b: [2, 3] }, (tape, { a, b }) => tape.add(a!, b!)],
  ['add, broadcast', { a: [2, 4, 3], b: [4, 1] }, (tape, { a, b }) => tape.add(a!, b!)],
  ['add, a scalar', { a: [2, 3], b: [] }, (tape, { a, b }) => tape.add(a!, b!)],
  ['mul, broadcast', { a: [3], b: [2, 2, 3] }, (tape, { a, b }) => tape.mul(a!, b!)],
  ['mul, by itself', { a: [4] }, (tape, { a }) => tape.mul(a!, a!)],
  ['scale', { a: [4] }, (tape, { a }) => tape.scale(a!, -2.5)],
  ['matMul', { a: [2, 3], b: [3, 4] }, (tape, { a, b }) => tape.matMul(a!, b!)],
  ['matMul, batch × matrix', { a: [2, 2, 3], b: [3, 2] }, (tape, { a, b }) => tape.matMul(a!, b!)],
  [
    'matMul, batch × batch',
    { a: [2, 2, 2, 3], b: [2, 2, 3, 2] },
    (tape, { a, b }) => tape.matMul(a!, b!),
  ],
  ['reshape', { a: [2, 6] }, (tape, { a }) => tape.reshape(a!, [0, 2, 3])],
  ['transpose', { a: [2, 3, 4] }, (tape, { a }) => tape.transpose(a!, [1, 2, 0])],
  [
    'gather, a row twice',
    { table: [5, 3] },
    (tape, { table }) => tape.gather(table!, indices(tape, [4, 1, 4, 0], [2, 2])),
  ],
  ['sigmoid', { a: [5] }, (tape, { a }) => tape.sigmoid(a!)],
  ['softmax', { a: [3, 4] }, (tape, { a }) => tape.softmax(a!)],
  ['rmsNorm', { a: [3, 4] }, (tape, { a }) => tape.rmsNorm(a!)],
  [
    'crossEntropy',
    { logits: [3, 4] },
    (tape, { logits }) => tape.crossEntropy(logits!, indices(tape, [2, 0, 2], [3])),
  ],
];

test.each(cases)('differentiates %s', async (_, dims, operation) => {
  const build: Case[2] = (tape, parameters) => weightedSum(tape, operation(tape, parameters));
  await checkGradients(dims, build, values(dims));
});

test('differentiates the whole network', async () => {
  const shape = { layers: 2, width: 8, heads: 2, contextLength: 5, vocabularySize: 7 };
  const dims = Object.fromEntries(parameterDims(shape));
  const initial = initialParameters(shape, new plugin.Random(5));
  await checkGradients(
    dims,
    (tape, parameters) => {
      const constant = (name: string, own: number[], list: number[]) => ({
        name: tape.graph.constant(name, 'int64', own, list),
        dims: own,
      });
      const rows = [0, 1, 2, 3, 4];
      const mask = rows.flatMap((query) => rows.map((key) => (key > query ? -1e9 : 0)));
      const logits = decoderNetwork(tape, shape, new Map(Object.entries(parameters)), {
        ids: constant('ids', [2, 5], [3, 1, 4, 1, 5, 6, 2, 6, 5, 3]),
        positions: tape.integers(rows),
        mask: { name: tape.graph.constant('mask', 'float32', [5, 5], mask), dims: [5, 5] },
      });
      const labels = constant('labels', [10], [1, 4, 1, 5, 6, 2, 6, 5, 3, 0]);
      return tape.crossEntropy(tape.reshape(logits, [10, 7]), labels);
    },
    // Larger than a training begins with, so that slopes stand out from rounding.
    (name) => initial.get(name)!.data.map((value) => (name === 'tokens' ? 20 * value : value)),
    12,
  );
});

test('refuses parameters that the loss does not depend on', () => {
  const tape = new tapeModule.Tape('unused');
  const a = tape.parameter('a', [2]);
  const unused = tape.parameter('unused', [2]);
  expect(() => tape.gradients(weightedSum(tape, a), [a, unused])).toThrow('"unused"');
});
