import path from 'node:path';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { expect, test } from 'vitest';
import { streamContext } from '../support/streamContext.js';
import { temporaryFolder } from '../support/temporaryFolder.js';
import { importPlugin } from './importPlugin.js';
import { type TinyDecoder, tinyDecoder, wordTokenizer, writeExport } from './tinyDecoder.js';

type Module = typeof import('../../plugins/textGeneration/index.js');
const { TextGenerationModel } = await importPlugin<Module>('plugins/textGeneration/index.ts');
type BytePairs = typeof import('../../plugins/textGeneration/training/bytePairs.js');
const { trainBytePairs } = await importPlugin<BytePairs>(
  'plugins/textGeneration/training/bytePairs.ts',
);

const root = temporaryFolder();
let folders = 0;

const words = 'zero one two three four five six seven eight nine ten end'.split(' ');
const config = { num_attention_heads: 1, hidden_size: 1, n_positions: 64 };

function exported(options: TinyDecoder, files: Record<string, Uint8Array | object> = {}) {
  return writeExport(path.join(root, `export${folders++}`), {
    'model.onnx': tinyDecoder(words.length, options).toModel(),
    'tokenizer.json': wordTokenizer(words),
    'config.json': config,
    ...files,
  });
}

async function load(folder: string) {
  const model = new TextGenerationModel({ model: { path: folder } });
  await model.load();
  return model;
}

/** What the model makes of these words, worked out here. */
function continuation(prompt: string, count: number, hasPositions = false): string {
  const ids = prompt.split(' ').map((word) => words.indexOf(word));
  for (let made = 0; made < count; made++) {
    const sum = ids.reduce((total, id) => total + id, 0);
    ids.push((sum + (hasPositions ? ids.length - 1 : 0)) % words.length);
  }
  const made = ids.slice(-count).map((id) => ` ${words[id]}`);
  return made.join('');
}

const greedy = { temperature: 0, maxLength: 12 };

const variants: [string, TinyDecoder][] = [
  ['of float32', {}],
  ['with positions', { hasPositions: true }],
  ['with a cache of float16', { type: 'float16', hasPositions: true }],
  ['merged, with use_cache_branch', { isMerged: true }],
  ['whose cache has its axes named', { namedAxes: true }],
];

test.each(variants)('serves an export %s, each token from the cache', async (_, options) => {
  const model = await load(exported(options));
  for (const prompt of ['three one four one five', 'one']) {
    const { predictions, metadata } = await model.predict({ data: prompt, options: greedy });
    expect(predictions).toEqual([
      { text: continuation(prompt, 12, options.hasPositions), finishReason: 'length' },
    ]);
    expect(metadata).toMatchObject({
      promptTokens: prompt.split(' ').length,
      generatedTokens: 12,
    });
  }
  model.unload();
});

test.each(['onnx/model.onnx', 'decoder_model_merged.onnx'])(
  'finds the model in %s',
  async (file) => {
    const folder = writeExport(path.join(root, `export${folders++}`), {
      [file]: tinyDecoder(words.length).toModel(),
      'tokenizer.json': wordTokenizer(words),
      'config.json': { ...config, _name_or_path: 'counter' },
    });
    const model = await load(folder);
    const { predictions, metadata } = await model.predict({ data: 'two', options: greedy });
    expect(predictions).toMatchObject([{ text: continuation('two', 12) }]);
    expect(metadata!.modelName).toBe('counter');
    model.unload();
  },
);

test.each([
  ['generation_config.json', { 'generation_config.json': { eos_token_id: [11, 8] } }],
  ['config.json', { 'config.json': { ...config, eos_token_id: 8 } }],
])('ends a text at the tokens that %s names', async (_, files) => {
  const model = await load(exported({}, files));
  // one: one two four eight
  const { predictions, metadata } = await model.predict({ data: 'one', options: greedy });
  expect(predictions).toEqual([{ text: ' one two four', finishReason: 'stop' }]);
  expect(metadata).toMatchObject({ promptTokens: 1, generatedTokens: 4 });
  model.unload();
});

test('forgets the older half of a text that is longer than the context', async () => {
  const model = await load(exported({}, { 'config.json': { ...config, n_positions: 6 } }));
  const { predictions } = await model.predict({ data: 'one two three four', options: greedy });
  const ids = [1, 2, 3, 4];
  let seen = [...ids];
  const made: string[] = [];
  for (let count = 0; count < 12; count++) {
    if (seen.length > 6) seen = seen.slice(-3);
    const next = seen.reduce((sum, id) => sum + id, 0) % words.length;
    seen.push(next);
    made.push(` ${words[next]}`);
  }
  expect(predictions).toEqual([{ text: made.join(''), finishReason: 'length' }]);
  model.unload();
});

test('refuses an empty text where the tokenizer has no token to begin with', async () => {
  const model = await load(exported({}));
  await expect(model.predict({ data: ['one', ''], options: {} })).rejects.toMatchObject({
    path: 'data[1]',
    message: expect.stringContaining('not empty'),
  });
  model.unload();
});

test('goes on with the text of a stream at a further input, by the cache', async () => {
  const model = await load(exported({ hasPositions: true }));
  async function* inputs() {
    yield { data: 'three one', options: {} };
    yield { data: 'two five', options: { maxLength: 4 } };
    yield { data: '', options: {} };
  }
  const signal = new AbortController().signal;
  const options = { temperature: 0, maxLength: 3 };
  const texts: string[] = [];
  const finishes: unknown[] = [];
  for await (const output of model.stream(inputs(), streamContext({ signal, options }))) {
    texts.push((output.predictions as { text: string }).text);
    if (output.metadata!.finishReason) finishes.push(output.metadata);
  }
  const first = `three one${continuation('three one', 3, true)}`;
  const second = `${first} two five`;
  const expected = [continuation('three one', 3, true), continuation(second, 7, true)];
  expect(texts.join('')).toBe(expected.join(''));
  expect(finishes).toMatchObject([
    { promptTokens: 2, generatedTokens: 3, finishReason: 'length' },
    { promptTokens: 2, generatedTokens: 4, finishReason: 'length' },
    { promptTokens: 0, generatedTokens: 3, finishReason: 'length' },
  ]);
  model.unload();
});

/** A decoder that writes these bytes after "\n", one token for each. */
function writerOf(bytes: readonly number[]) {
  const tokenizer = trainBytePairs([], 257);
  const next = new Array<number>(257).fill(0);
  [10, ...bytes].forEach((byte, at, all) => {
    next[byte + 1] = at + 1 < all.length ? all[at + 1]! + 1 : 0;
  });
  return exported(
    {},
    {
      'model.onnx': tinyDecoder(257, { next }).toModel(),
      'tokenizer.json': tokenizer,
      'generation_config.json': { eos_token_id: 0 },
    },
  );
}

async function stream(folder: string, options: Record<string, unknown>) {
  const model = await load(folder);
  async function* inputs() {
    yield { data: '\n', options: {} };
  }
  const signal = new AbortController().signal;
  const texts: string[] = [];
  for await (const { predictions } of model.stream(inputs(), streamContext({ signal, options }))) {
    texts.push((predictions as { text: string }).text);
  }
  model.unload();
  return texts;
}

test('holds a character back until its last byte', async () => {
  const written = 'é“🎉a';
  const texts = await stream(writerOf([...Buffer.from(written)]), { temperature: 0 });
  expect(texts).toEqual(['', 'é', '', '', '“', '', '', '', '🎉', 'a', '']);
});

test('leaves out bytes that are no character', async () => {
  const bytes = [0xff, 0x61, 0xc3, 0x62, 0xe2, 0x82, 0x63];
  const texts = await stream(writerOf(bytes), { temperature: 0 });
  expect(texts.join('')).toBe('abc');
  // A character that the end cuts off is no character either.
  const cut = await stream(writerOf([...Buffer.from('ok🎉')]), { temperature: 0, maxLength: 4 });
  expect(cut.join('')).toBe('ok');
});

test('goes on after more broken bytes than a character has', async () => {
  const bytes = [0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xe2, 0x82, 0xac, 0x64];
  const texts = await stream(writerOf(bytes), { temperature: 0 });
  expect(texts.join('')).toBe('€d');
});

function without(output: 'logits' | 'present.0.value' | 'cache' | 'input_ids'): Uint8Array {
  const graph = new GraphBuilder('partial');
  graph.input(output === 'input_ids' ? 'attention_mask' : 'input_ids', 'int64', [
    'batch',
    'sequence',
  ]);
  const first = output === 'input_ids' ? 'attention_mask' : 'input_ids';
  const ids = graph.node('Cast', [first], { attributes: { to: 1n } });
  const cache = ['batch', 1, 'past', 1];
  for (const part of output === 'cache' ? [] : ['key', 'value']) {
    const past = graph.input(`past_key_values.0.${part}`, 'float32', cache);
    if (output === `present.0.${part}`) continue;
    graph.node('Identity', [past], { outputs: [`present.0.${part}`] });
    graph.output(`present.0.${part}`, 'float32', cache);
  }
  if (output !== 'logits') {
    graph.node('Identity', [ids], { outputs: ['logits'] });
    graph.output('logits', 'float32', ['batch', 'sequence']);
  } else {
    graph.output(ids, 'float32', ['batch', 'sequence']);
  }
  return graph.toModel();
}

const broken: [string, Record<string, Uint8Array | object>, string][] = [
  ['has no logits', { 'model.onnx': without('logits') }, 'no output "logits"'],
  [
    'does not give a part of the cache',
    { 'model.onnx': without('present.0.value') },
    'no output "present.0.value"',
  ],
  ['has no cache', { 'model.onnx': without('cache') }, 'text-generation-with-past'],
  ['has no ids', { 'model.onnx': without('input_ids') }, 'no input "input_ids"'],
  ['has a config.json that says nothing', { 'config.json': [1] }, 'config.json cannot be used'],
];

test.each(broken)('refuses an export that %s', async (_, files, message) => {
  await expect(load(exported({}, files))).rejects.toMatchObject({
    name: 'InputError',
    path: 'config.model.path',
    message: expect.stringContaining(message),
  });
});

test('refuses an input that no text fills, and unknown measures of the cache', async () => {
  const graph = tinyDecoder(words.length);
  graph.input('pixel_values', 'float32', ['batch']);
  const strange = exported({}, { 'model.onnx': graph.toModel() });
  await expect(load(strange)).rejects.toThrow('it has "pixel_values" too');
  const bare = exported({ namedAxes: true }, { 'config.json': {} });
  await expect(load(bare)).rejects.toThrow('with heads and headDim given');
  await expect(load(path.join(root, 'nowhere'))).rejects.toThrow('but found none');
});
