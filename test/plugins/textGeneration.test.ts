import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { PredictionInput } from 'cloudeasyml';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { streamContext } from '../support/streamContext.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { importPlugin } from './importPlugin.js';
import { readmeExamples } from './readmeExamples.js';

type Module = typeof import('../../plugins/textGeneration/index.js');
const { TextGenerationModel } = await importPlugin<Module>('plugins/textGeneration/index.ts');

process.env.CLOUDEASYML_DATA = temporaryFolder();
const file = new URL('../../plugins/textGeneration/config.yaml', import.meta.url);
const { serving: _, ...config } = load(readFileSync(file, 'utf8')) as Record<string, unknown>;
const model = new TextGenerationModel(config);
beforeAll(() => model.load());
afterAll(() => model.unload());

type Options = Record<string, unknown>;
interface Answer {
  text: string;
  finishReason: string;
}

async function complete(data: unknown, options: Options): Promise<Answer[]> {
  const { predictions } = await model.predict({ data, options });
  return predictions as Answer[];
}

async function* inputsOf(inputs: (string | PredictionInput)[]) {
  for (const input of inputs)
    yield typeof input === 'string' ? { data: input, options: {} } : input;
}

async function stream(
  inputs: (string | PredictionInput)[],
  options: Options,
  signal: AbortSignal = new AbortController().signal,
) {
  const outputs: { text: string; tokenId: number; metadata: Record<string, unknown> }[] = [];
  for await (const output of model.stream(inputsOf(inputs), streamContext({ signal, options }))) {
    const { text, tokenId } = output.predictions as { text: string; tokenId: number };
    outputs.push({ text, tokenId, metadata: output.metadata! });
  }
  return { outputs, text: outputs.map(({ text }) => text).join('') };
}

const prompt = 'The people of the United States';

test.each(readmeExamples('textGeneration'))(
  'answers as its README says: %#',
  async ({ request, answer }) => {
    const { predictions, metadata } = await model.predict({ options: {}, ...request });
    expect({ predictions, metadata }).toEqual(answer);
  },
);

test('goes on with each text of a list, as with that text alone', async () => {
  const options = { maxLength: 20, seed: 5 };
  const prompts = [prompt, 'Congress', ''];
  const together = await complete(prompts, options);
  expect(together).toHaveLength(3);
  for (const [index, data] of prompts.entries()) {
    expect(await complete(data, options)).toEqual([together[index]]);
  }
});

test('is greedy at temperature 0, whatever the seed', async () => {
  const greedy = { temperature: 0, maxLength: 30 };
  const first = await complete(prompt, { ...greedy, seed: 1 });
  expect(await complete(prompt, { ...greedy, seed: 2 })).toEqual(first);
  expect(await complete(prompt, { ...greedy, temperature: 5, topK: 1 })).toEqual(first);
});

test('makes the same text of the same seed, and others of others', async () => {
  const options = { temperature: 1, maxLength: 40 };
  const first = await complete(prompt, { ...options, seed: 7 });
  expect(await complete(prompt, { ...options, seed: 7 })).toEqual(first);
  expect(await complete(prompt, { ...options, seed: 8 })).not.toEqual(first);
});

test('draws a seed where none is given, and tells it', async () => {
  const { predictions, metadata } = await model.predict({ data: prompt, options: {} });
  const [seed] = metadata!.seeds as number[];
  expect(await complete(prompt, { seed })).toEqual(predictions);
  const again = await model.predict({ data: prompt, options: {} });
  expect(again.metadata!.seeds).not.toEqual([seed]);
});

test('streams the text that it answers with, one token at a time', async () => {
  const options = { seed: 3, maxLength: 50 };
  const { outputs, text } = await stream([prompt], options);
  const [answer] = await complete(prompt, options);
  expect(text).toBe(answer!.text);
  expect(outputs).toHaveLength(50);
  expect(outputs.every(({ tokenId }) => Number.isInteger(tokenId))).toBe(true);
  expect(outputs.slice(0, -1).every(({ metadata }) => Object.keys(metadata).length === 0)).toBe(
    true,
  );
  expect(outputs.at(-1)!.metadata).toEqual({
    modelName: 'textGeneration',
    finishReason: 'length',
    promptTokens: expect.any(Number),
    generatedTokens: 50,
    seed: 3,
  });
});

test('ends before a stop string, and gives out nothing of it', async () => {
  const options = { temperature: 0, maxLength: 60 };
  const [{ text } = { text: '' }] = await complete(prompt, options);
  // From the middle of one word to the middle of the next, so that no token is the stop string.
  const words = text.trim().split(' ');
  const stop = `${words[4]!.slice(-1)} ${words[5]!.slice(0, 1)}`;
  const expected = { text: text.slice(0, text.indexOf(stop)), finishReason: 'stop' };
  expect(await complete(prompt, { ...options, stop })).toEqual([expected]);
  expect(await complete(prompt, { ...options, stop: ['☃', stop] })).toEqual([expected]);
  const streamed = await stream([prompt], { ...options, stop });
  expect(streamed.text).toBe(expected.text);
  expect(streamed.outputs.at(-1)!.metadata).toMatchObject({ finishReason: 'stop' });
});

test('gives out what looked like a stop string and became none', async () => {
  const options = { temperature: 0, maxLength: 12 };
  const [answer] = await complete(prompt, options);
  const stop = `${answer!.text.slice(-3)}☃`;
  expect(await complete(prompt, { ...options, stop })).toEqual([answer]);
});

test('goes on by itself at an empty further input', async () => {
  const greedy = { temperature: 0, maxLength: 10 };
  const { text } = await stream([prompt, '', ''], greedy);
  expect(text).toBe((await complete(prompt, { ...greedy, maxLength: 30 }))[0]!.text);
});

test('keeps streams apart that take turns', async () => {
  const run = (data: string, seed: number) => stream([data], { seed, maxLength: 25 });
  const together = await Promise.all([run(prompt, 1), run('Our Navy', 2), run(prompt, 3)]);
  expect(together).toEqual([await run(prompt, 1), await run('Our Navy', 2), await run(prompt, 3)]);
});

test('stops when it is told to, and lets the event loop turn meanwhile', async () => {
  const abort = new AbortController();
  const inputs = inputsOf([prompt, prompt]);
  const options = { maxLength: 100_000 };
  let made = 0;
  for await (const _ of model.stream(inputs, streamContext({ signal: abort.signal, options }))) {
    made++;
    if (made === 5) abort.abort();
    await turn();
  }
  expect(made).toBe(5);
  let closed = false;
  async function* watched() {
    try {
      yield { data: prompt, options: {} };
    } finally {
      closed = true;
    }
  }
  const signal = new AbortController().signal;
  for await (const _ of model.stream(watched(), streamContext({ signal, options }))) break;
  expect(closed).toBe(true);
});

test('stops answering a request that is over', async () => {
  const signal = AbortSignal.timeout(50);
  const input = { data: prompt, options: { maxLength: 100_000 } };
  await expect(model.predict(input, streamContext({ signal }))).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});

test('takes limits of config.yaml, which its own defaults stay within', async () => {
  const own = new TextGenerationModel({ limits: { maxLength: 5 } });
  await own.load();
  const [answer] = (await own.predict({ data: prompt, options: {} })).predictions as Answer[];
  expect(answer!.finishReason).toBe('length');
  await expect(own.predict({ data: prompt, options: { maxLength: 6 } })).rejects.toMatchObject({
    path: 'options.maxLength',
    message: 'expected a whole number of tokens, from 1 to 5, but received 6',
  });
  own.unload();
  const wrong = new TextGenerationModel({ ...config, limits: { maxLength: 5 } });
  await expect(wrong.load()).rejects.toMatchObject({ path: 'config.generation.maxLength' });
});

test('lets timers run while it answers', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await complete(prompt, { maxLength: 100 });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

test('writes more than its context holds', async () => {
  const [answer] = await complete(prompt, { maxLength: 600, seed: 1 });
  expect(answer!.text.length).toBeGreaterThan(600);
  const long = `${prompt} `.repeat(200);
  expect((await complete(long, { maxLength: 5 }))[0]!.finishReason).toBe('length');
});

const badOptions: [Options, string, string][] = [
  [{ maxLength: 0 }, 'options.maxLength', '1 or more, but received 0'],
  [{ maxLength: 2.5 }, 'options.maxLength', 'received 2.5'],
  [{ temperature: -1 }, 'options.temperature', '0 or more'],
  [{ temperature: '1' }, 'options.temperature', 'received "1"'],
  [{ topK: 0 }, 'options.topK', 'a whole number of tokens'],
  [{ topK: null }, 'options.topK', 'received null'],
  [{ topP: 0 }, 'options.topP', 'above 0'],
  [{ topP: 1.1 }, 'options.topP', 'at most 1'],
  [{ seed: -1 }, 'options.seed', 'received -1'],
  [{ stop: '' }, 'options.stop', 'none of them empty'],
  [{ stop: ['a', 3] }, 'options.stop', 'received ["a",3]'],
  [{ topk: 3 }, 'options.topk', 'there are maxLength, temperature, topK'],
];

test.each(badOptions)('refuses the options %j', async (options, path, message) => {
  const fault = { name: 'InputError', path, message: expect.stringContaining(message) };
  await expect(model.predict({ data: prompt, options })).rejects.toMatchObject(fault);
  await expect(stream([prompt], options)).rejects.toMatchObject(fault);
  await expect(stream([{ data: prompt, options }], {})).rejects.toMatchObject(fault);
});

test.each([
  [17, 'data', 'received a number'],
  [undefined, 'data', 'received nothing'],
  [{}, 'data', 'received an object'],
  [['a', null], 'data[1]', 'received null'],
])('refuses the data %j', async (data, path, message) => {
  const fault = { name: 'InputError', path, message: expect.stringContaining(message) };
  await expect(complete(data, {})).rejects.toMatchObject(fault);
});

test('takes one text per input of a stream', async () => {
  await expect(stream([{ data: [prompt], options: {} }], {})).rejects.toMatchObject({
    path: 'data',
    message: expect.stringContaining('an array'),
  });
});

test('takes settings from config.yaml, and the request’s options over them', async () => {
  const settings = { generation: { maxLength: 4, temperature: 0 } };
  const own = new TextGenerationModel(settings);
  await own.load();
  const { metadata } = await own.predict({ data: prompt, options: {} });
  expect(metadata!.generatedTokens).toBe(4);
  const longer = await own.predict({ data: prompt, options: { maxLength: 6 } });
  expect(longer.predictions).toEqual(await complete(prompt, { temperature: 0, maxLength: 6 }));
  own.unload();
  const wrong = new TextGenerationModel({ generation: { topP: 2 } });
  await expect(wrong.load()).rejects.toMatchObject({ path: 'config.generation.topP' });
});
