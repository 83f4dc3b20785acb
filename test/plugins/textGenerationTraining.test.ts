import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import type { TrainingProgress } from 'cloudeasyml';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { importPlugin } from './importPlugin.js';

type Progress = typeof import('../../dist/plugin/trainingProgress.js');
const { onProgress } = await importPlugin<Progress>('dist/plugin/trainingProgress.js');
type Module = typeof import('../../plugins/textGeneration/index.js');
const { TextGenerationModel } = await importPlugin<Module>('plugins/textGeneration/index.ts');
type BytePairs = typeof import('../../plugins/textGeneration/training/bytePairs.js');
const { trainBytePairs } = await importPlugin<BytePairs>(
  'plugins/textGeneration/training/bytePairs.ts',
);
type Addresses = typeof import('../../plugins/textGeneration/training/stateOfTheUnion.js');
const { stateOfTheUnion } = await importPlugin<Addresses>(
  'plugins/textGeneration/training/stateOfTheUnion.ts',
);

const root = temporaryFolder();
let folders = 0;
beforeEach(() => {
  process.env.CLOUDEASYML_DATA = path.join(root, `data${folders++}`);
});

/** A small network that learns a simple text in a second. */
const quick = {
  steps: 150,
  batchSize: 8,
  learningRate: 0.01,
  layers: 2,
  width: 32,
  heads: 2,
  contextLength: 24,
  vocabularySize: 300,
};

/** Sentences of one rule: each animal has its sound. */
const sounds = { dog: 'barks', cat: 'purrs', cow: 'moos', owl: 'hoots' };
const animals = Object.entries(sounds);
const sentences = Array.from({ length: 600 }, (_, index) => {
  const [animal, sound] = animals[(index * index + (index >> 3)) % 4]!;
  return `The ${animal} always ${sound}.`;
});
const fable = sentences.join(' ');

async function load(config: Record<string, unknown> = {}) {
  const model = new TextGenerationModel(config);
  await model.load();
  return model;
}

async function complete(model: Awaited<ReturnType<typeof load>>, data: string) {
  const options = { temperature: 0, maxLength: 20, stop: '.' };
  const { predictions, metadata } = await model.predict({ data, options });
  return { text: (predictions as { text: string }[])[0]!.text, metadata };
}

test('learns what a text says, and serves it at the next load', async () => {
  const reports: TrainingProgress[] = [];
  onProgress((progress) => reports.push(progress));
  const result = await new TextGenerationModel({}).train(fable, quick);
  onProgress(undefined);

  expect(result.status).toBe('trained');
  expect(result.savedTo).toBe(path.join(process.env.CLOUDEASYML_DATA!, 'models', 'textGeneration'));
  const steps = reports.filter(({ metrics }) => metrics);
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
  const first = steps[0]!.metrics!;
  const { loss, validationLoss, perplexity, trainingTokens, validationTokens } = result.metrics!;
  expect(first.loss).toBeGreaterThan(5);
  expect(loss).toBeLessThan(first.loss! / 4);
  expect(validationLoss).toBeLessThan(first.validationLoss! / 4);
  expect(perplexity).toBeCloseTo(Math.exp(validationLoss!), 5);
  // A twentieth of the text is held back, give or take a block.
  const heldBack = validationTokens! / (trainingTokens! + validationTokens!);
  expect(heldBack).toBeGreaterThan(0.03);
  expect(heldBack).toBeLessThan(0.07);

  const model = await load();
  for (const [animal, sound] of animals) {
    expect((await complete(model, `The ${animal} always`)).text).toBe(` ${sound}`);
  }
  expect((await complete(model, 'The cat')).metadata!.modelName).toBe('textGeneration');
  model.unload();
});

test('gives the same model for the same seed and another for another', async () => {
  const short = { ...quick, steps: 3 };
  const train = async (seed: number) =>
    (await new TextGenerationModel({}).train(fable, { ...short, seed })).metrics!.loss;
  const first = await train(1);
  expect(await train(1)).toBe(first);
  expect(await train(2)).not.toBe(first);
});

test('replaces what was saved, and goes back to its own model without it', async () => {
  const model = new TextGenerationModel({});
  const short = { ...quick, steps: 1 };
  const { savedTo } = await model.train(fable, short);
  const before = await load();
  const { text } = await complete(before, 'The dog');
  for (let again = 0; again < 3; again++) {
    await model.train(fable, { ...short, seed: again });
  }
  // The current one, the link to it, and the one before.
  expect(readdirSync(savedTo!)).toHaveLength(3);
  expect((await complete(before, 'The dog')).text).toBe(text);
  rmSync(savedTo!, { recursive: true });
  const own = await load();
  expect((await complete(own, 'The dog')).text).not.toBe(text);
  own.unload();
  before.unload();
});

test('takes a list of texts, and settings from config.yaml', async () => {
  const model = new TextGenerationModel({ training: { ...quick, steps: 50 } });
  const { metrics } = await model.train([fable, fable], { steps: 2 });
  expect(metrics).toMatchObject({ steps: 2, trainingTokens: expect.any(Number) });
  const once = await model.train(fable, { steps: 2 });
  expect(metrics!.trainingTokens).toBeGreaterThan(1.9 * once.metrics!.trainingTokens!);
});

test.each([
  [17, {}, 'trainingData', 'received a number'],
  [[], {}, 'trainingData', 'an empty array'],
  [['a', 2], {}, 'trainingData[1]', 'received a number'],
  ['too short', quick, 'trainingData', 'at least 480 tokens'],
  [fable, { steps: 0 }, 'config.steps', 'received 0'],
  [fable, { step: 1 }, 'config', 'step'],
  [fable, { width: 30, heads: 4 }, 'config.width', 'a multiple of heads; received 30'],
  [fable, { vocabularySize: 256 }, 'config.vocabularySize', 'received 256'],
])(
  'refuses training data or settings that do not fit: %#',
  async (data, config, where, message) => {
    await expect(new TextGenerationModel({}).train(data, config)).rejects.toMatchObject({
      name: 'InputError',
      path: where,
      message: expect.stringContaining(message),
    });
  },
);

test('learns tokens that write any text', () => {
  const json = trainBytePairs([fable], 400);
  const tokenizer = new Tokenizer(json, {});
  const ids = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  for (const text of [' The dog', ' naïve – “日本” 🎉', '\n\ttabs\u0000']) {
    expect(tokenizer.decode(ids(text)).trim()).toBe(text.trim());
  }
  // Frequent words are tokens of their own; the corpus has too few others to reach 400.
  expect(ids(' The owl always hoots')).toHaveLength(4);
  const vocabulary = tokenizer.get_vocab(true);
  expect(vocabulary.size).toBeLessThan(400);
  expect([...vocabulary.values()].sort((a, b) => a - b)).toEqual([
    ...Array(vocabulary.size).keys(),
  ]);
  expect(tokenizer.encode('').ids).toEqual([0]);
});

test('has every State of the Union address from 1790 on to learn from', () => {
  const addresses = stateOfTheUnion();
  expect(addresses.length).toBeGreaterThan(230);
  expect(addresses[0]).toMatch(/^Fellow-Citizens of the Senate/);
});
