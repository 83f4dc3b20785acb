import { afterAll, beforeAll, expect, test } from 'vitest';
import { importPlugin } from './importPlugin.js';
import { readmeExamples, rounded } from './readmeExamples.js';

type Module = typeof import('../../plugins/sentimentAnalysis/index.js');
const { SentimentAnalysisModel } = await importPlugin<Module>('plugins/sentimentAnalysis/index.ts');
const model = new SentimentAnalysisModel({});

beforeAll(() => model.load());
afterAll(() => model.unload());

function classify(data: unknown, options: Record<string, unknown> = {}) {
  return model.predict({ data, options });
}

test('answers with a label and its probability for each text', () => {
  const output = classify(['This movie was amazing!', 'I hated it']);
  expect(output.predictions).toEqual([
    { label: 'POSITIVE', score: expect.closeTo(1 / (1 + Math.exp(-2)), 6) },
    { label: 'NEGATIVE', score: expect.closeTo(1 / (1 + Math.exp(-1.5)), 6) },
  ]);
  expect(output.metadata).toEqual({ modelName: 'afinn-165', numInputs: 2 });
  expect(output.processingTimeMs).toBeGreaterThan(0);
});

test.each(readmeExamples('sentimentAnalysis'))(
  'answers as its README says: %#',
  ({ request, answer }) => {
    const { predictions, metadata } = model.predict({ options: {}, ...request });
    expect(rounded({ predictions, metadata })).toEqual(rounded(answer));
  },
);

test('takes a single text too, and no text', () => {
  expect(classify('What a wonderful day').predictions).toMatchObject([{ label: 'POSITIVE' }]);
  expect(classify([]).predictions).toEqual([]);
});

test.each([
  ['I love it', 'POSITIVE'],
  ['The service was terrible and the food was awful.', 'NEGATIVE'],
  ['It was not good', 'NEGATIVE'],
  ['It wasn’t a bad film', 'POSITIVE'],
  ['I don’t like this at all', 'NEGATIVE'],
  ['No problem, everything is fine', 'POSITIVE'],
  ['I can’t stand this phone', 'NEGATIVE'],
  ['Never disappointing. A superb, well-established shop', 'POSITIVE'],
  ['Not today. Great place!', 'POSITIVE'],
  ['COMPLETELY USELESS!!!', 'NEGATIVE'],
])('reads “%s” as %s', (text, label) => {
  const [sentiment] = [classify(text).predictions].flat();
  expect(sentiment).toMatchObject({ label });
  expect(sentiment).toHaveProperty(
    'score',
    expect.toSatisfy((score) => score > 0.5 && score < 1),
  );
});

test('has no opinion on a text without a word of the list', () => {
  expect(classify('The box is on the table').predictions).toMatchObject([{ score: 0.5 }]);
  expect(classify('').predictions).toMatchObject([{ score: 0.5 }]);
});

test('lists the best labels with topK', () => {
  const { predictions } = classify(['I love it'], { topK: 2 });
  expect(predictions).toMatchObject([[{ label: 'POSITIVE' }, { label: 'NEGATIVE' }]]);
  const [labels] = [predictions].flat();
  const scores = [labels].flat().map((each) => Number(Reflect.get(Object(each), 'score')));
  expect(scores[0]! + scores[1]!).toBeCloseTo(1, 12);
  expect(classify(['I love it'], { topK: 1 }).predictions).toMatchObject([[{ label: 'POSITIVE' }]]);
});

test('answers each request of a batch as it would alone', () => {
  const requests = [
    { data: ['bad', 'a very good and really excellent and superb thing'], options: {} },
    { data: 'I love it, I love it, I love it', options: { topK: 2 } },
    { data: [], options: {} },
    { data: Array.from({ length: 70 }, (_, i) => (i % 3 ? 'great' : 'awful mess')), options: {} },
  ];
  const together = model.predictBatch(requests);
  const predictions = (outputs: ReturnType<typeof model.predictBatch>) =>
    outputs.map((output) => output.predictions);
  expect(predictions(together)).toEqual(predictions(requests.map((each) => model.predict(each))));
});

test.each([
  [{ text: 'x' }, {}, 'data', 'a text or an array of texts but received an object'],
  [undefined, {}, 'data', 'received nothing'],
  [['fine', 7], {}, 'data[1]', 'expected a text but received a number'],
  [['fine', null], {}, 'data[1]', 'received null'],
  ['fine', { topK: 0 }, 'options.topK', '1 or more, but received 0'],
  ['fine', { topK: 'all' }, 'options.topK', 'received "all"'],
])('refuses %j with %j', (data, options, path, message) => {
  expect(() => classify(data, options)).toThrow(
    expect.objectContaining({
      name: 'InputError',
      path,
      message: expect.stringContaining(message),
    }),
  );
});

test('refuses settings that do not fit', async () => {
  const misconfigured = new SentimentAnalysisModel({ model: { batchSize: 0 } });
  await expect(misconfigured.load()).rejects.toMatchObject({
    path: 'config.model.batchSize',
    message: expect.stringContaining('received 0'),
  });
});

test('describes itself before it is loaded', () => {
  const unloaded = new SentimentAnalysisModel({});
  expect(unloaded.getMetadata()).toMatchObject({ name: 'sentimentAnalysis', version: '1.0.0' });
  expect(unloaded.healthCheck().healthy).toBe(false);
  expect(() => unloaded.predict({ data: 'x', options: {} })).toThrow(/not loaded/);
});
