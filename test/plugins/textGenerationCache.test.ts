import path from 'node:path';
import type { Tensor } from 'cloudeasyml';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { importPlugin } from './importPlugin.js';
import { writeExport } from './tinyDecoder.js';

type Decoder = typeof import('../../plugins/textGeneration/causalDecoder.js');
const { CausalDecoder } = await importPlugin<Decoder>('plugins/textGeneration/causalDecoder.ts');
type Network = typeof import('../../plugins/textGeneration/training/network.js');
const { initialParameters } = await importPlugin<Network>(
  'plugins/textGeneration/training/network.ts',
);
type Step = typeof import('../../plugins/textGeneration/training/trainingStep.js');
const { Evaluation } = await importPlugin<Step>('plugins/textGeneration/training/trainingStep.ts');
type Served = typeof import('../../plugins/textGeneration/training/servedModel.js');
const { exportedFiles } = await importPlugin<Served>(
  'plugins/textGeneration/training/servedModel.ts',
);
type BytePairs = typeof import('../../plugins/textGeneration/training/bytePairs.js');
const { trainBytePairs } = await importPlugin<BytePairs>(
  'plugins/textGeneration/training/bytePairs.ts',
);
type RandomModule = typeof import('../../plugins/textGeneration/random.js');
const { Random } = await importPlugin<RandomModule>('plugins/textGeneration/random.ts');

const shape = { layers: 3, width: 24, heads: 3, contextLength: 32, vocabularySize: 257 };
const root = temporaryFolder();
const parameters = initialParameters(shape, new Random(9));
const files = await exportedFiles({
  shape,
  parameters,
  tokenizer: trainBytePairs([], 257),
  metrics: {},
});
const folder = path.join(root, 'random');
writeExport(
  folder,
  Object.fromEntries(
    [...files].map(([name, content]) => [
      name,
      content instanceof Uint8Array ? content : JSON.parse(content),
    ]),
  ),
);
const ids = Array.from({ length: 32 }, (_, index) => (index * 37) % 257);

function expectClose(actual: Float32Array, expected: Float32Array) {
  expect(actual).toHaveLength(expected.length);
  const furthest = Math.max(...actual.map((logit, id) => Math.abs(logit - expected[id]!)));
  expect(furthest).toBeLessThan(1e-4);
}

test('gives the same logits by the cache as reading all at once', async () => {
  const decoder = await CausalDecoder.create(folder, {});
  let past: Record<string, Tensor> | undefined;
  for (const [length, id] of ids.entries()) {
    const step = decoder.read([id], past, length);
    past = step.past;
    const whole = decoder.read(ids.slice(0, length + 1), undefined, 0);
    expectClose(step.logits, whole.logits);
    expect(Object.values(past).map(({ dims }) => dims)).toEqual(
      Array.from({ length: 6 }, () => [1, 3, length + 1, 8]),
    );
  }
  decoder.release();
});

test('reads several tokens at once behind a cache, too', async () => {
  const decoder = await CausalDecoder.create(folder, {});
  const first = decoder.read(ids.slice(0, 10), undefined, 0);
  const second = decoder.read(ids.slice(10, 25), first.past, 10);
  expectClose(second.logits, decoder.read(ids.slice(0, 25), undefined, 0).logits);
  // The first cache is as it was: another text can go on from it.
  const other = decoder.read([5], first.past, 10);
  expectClose(other.logits, decoder.read([...ids.slice(0, 10), 5], undefined, 0).logits);
  decoder.release();
});

test('is the network that was trained, up to the rounding of its weights', async () => {
  const decoder = await CausalDecoder.create(folder, {});
  const window = [...ids, 7];
  const losses = ids.map((_, at) => {
    const { logits } = decoder.read(ids.slice(0, at + 1), undefined, 0);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    return Math.log(sum) - logits[window[at + 1]!]!;
  });
  const evaluation = await Evaluation.create(shape, 1, {});
  const windows = { batch: 1, ids: BigInt64Array.from(window, BigInt) };
  const loss = evaluation.loss(parameters, windows);
  expect(losses.reduce((total, each) => total + each, 0) / losses.length).toBeCloseTo(loss, 2);
  evaluation.release();
  decoder.release();
});
