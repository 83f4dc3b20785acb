import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { afterAll, expect, test } from 'vitest';
import { importPlugin } from './importPlugin.js';

type Module = typeof import('../../plugins/sentimentAnalysis/index.js');
const { SentimentAnalysisModel } = await importPlugin<Module>('plugins/sentimentAnalysis/index.ts');

const vocabulary = '[PAD] [UNK] [CLS] [SEP] the film was good bad ##ly act ##ing un ##even'.split(
  ' ',
);
const id = (token: string) => vocabulary.indexOf(token);
const width = 4;
const labels = ['sad', 'calm', 'glad'];

/** Weights that look random and are the same in every run. */
function weights(count: number, salt: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(Math.sin((i + 1) * salt) * 2));
}
const embeddings = weights(vocabulary.length * width, 12.9898);
const positions = weights(8 * width, 78.233);
const projection = weights(width * labels.length, 37.719);

/**
 * A classifier with the inputs of BERT: embeddings of tokens, positions and segments, their mean over
 * the tokens that are not padding, and a projection to three labels.
 */
function writeModel(file: string, inputs: string[]) {
  const graph = new GraphBuilder('tiny');
  for (const name of inputs) graph.input(name, 'int64', ['batch', 'tokens']);
  graph.constant('embeddings', 'float32', [vocabulary.length, width], embeddings);
  graph.constant('positions', 'float32', [8, width], positions);
  graph.constant('projection', 'float32', [width, labels.length], projection);
  graph.constant('zero', 'int64', [1], [0]);
  graph.constant('one', 'int64', [1], [1]);
  graph.constant('two', 'int64', [1], [2]);
  const shape = graph.node('Shape', ['input_ids'], { attributes: { start: 1n } });
  const row = graph.node('Slice', ['positions', 'zero', shape, 'zero']);
  let hidden = graph.node('Add', [graph.node('Gather', ['embeddings', 'input_ids']), row]);
  if (inputs.includes('token_type_ids')) {
    graph.constant('segments', 'float32', [2, width], weights(2 * width, 3.7));
    hidden = graph.node('Add', [hidden, graph.node('Gather', ['segments', 'token_type_ids'])]);
  }
  const mask = graph.node('Cast', ['attention_mask'], { attributes: { to: 1n } });
  const masked = graph.node('Mul', [hidden, graph.node('Unsqueeze', [mask, 'two'])]);
  const none = { attributes: { keepdims: 0n } };
  const sum = graph.node('ReduceSum', [masked, 'one'], none);
  const mean = graph.node('Div', [sum, graph.node('ReduceSum', [mask, 'one'])]);
  graph.node('MatMul', [mean, 'projection'], { outputs: ['logits'] });
  graph.output('logits', 'float32', ['batch', labels.length]);
  writeFileSync(file, graph.toModel());
}

const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map((content) => ({
    id: id(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [id('[CLS]')], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [id('[SEP]')], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(vocabulary.map((token, index) => [token, index])),
  },
};

const root = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-transformer-'));
afterAll(() => rmSync(root, { recursive: true }));

const id2label = Object.fromEntries(labels.map((label, index) => [String(index), label]));

function writeExport(
  name: string,
  config: object,
  inputs = ['input_ids', 'attention_mask', 'token_type_ids'],
) {
  const folder = path.join(root, name);
  mkdirSync(folder);
  writeModel(path.join(folder, 'model.onnx'), inputs);
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

/** What the model answers for these tokens, worked out here. */
function logitsOf(tokens: string[], hasSegments = true): number[] {
  const segment = weights(2 * width, 3.7);
  const means = Array.from({ length: width }, (_, j) => {
    const sum = tokens.reduce(
      (total, token, at) =>
        total +
        embeddings[id(token) * width + j]! +
        positions[at * width + j]! +
        (hasSegments ? segment[j]! : 0),
      0,
    );
    return sum / tokens.length;
  });
  return labels.map((_, label) =>
    means.reduce((sum, mean, j) => sum + mean * projection[j * labels.length + label]!, 0),
  );
}

function softmax(logits: number[]): number[] {
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / sum);
}

async function load(folder: string, settings: object = {}) {
  const model = new SentimentAnalysisModel({ model: { path: folder, ...settings } });
  await model.load();
  return model;
}

function ranked(scores: number[]) {
  return labels
    .map((label, index) => ({
      label,
      score: expect.closeTo(scores[index]!, 5),
      raw: scores[index]!,
    }))
    .sort((a, b) => b.raw - a.raw)
    .map(({ label, score }) => ({ label, score }));
}

test('serves an export of three inputs, texts of different lengths in one batch', async () => {
  const folder = writeExport('bert', { id2label, pad_token_id: 0, _name_or_path: 'tiny-bert' });
  const model = await load(folder);
  const { predictions, metadata } = model.predict({
    data: ['The film was GOOD', 'unevenly acting', 'Bad'],
    options: { topK: 3 },
  });
  expect(predictions).toEqual([
    ranked(softmax(logitsOf(['[CLS]', 'the', 'film', 'was', 'good', '[SEP]']))),
    ranked(softmax(logitsOf(['[CLS]', 'un', '##even', '##ly', 'act', '##ing', '[SEP]']))),
    ranked(softmax(logitsOf(['[CLS]', 'bad', '[SEP]']))),
  ]);
  expect(metadata).toEqual({ modelName: 'tiny-bert', numInputs: 3 });
  model.unload();
});

test('serves an export without segments, such as DistilBERT', async () => {
  const folder = writeExport('distil', { id2label }, ['input_ids', 'attention_mask']);
  const model = await load(folder);
  const { predictions, metadata } = model.predict({ data: 'good film', options: { topK: 3 } });
  expect(predictions).toEqual([
    ranked(softmax(logitsOf(['[CLS]', 'good', 'film', '[SEP]'], false))),
  ]);
  expect(metadata).toEqual({ modelName: 'distil', numInputs: 1 });
  model.unload();
});

test('cuts a long text to maxLength and keeps the tokens around it', async () => {
  const model = await load(writeExport('long', { id2label }), { maxLength: 5 });
  const data = 'good bad the film was '.repeat(50);
  const { predictions } = model.predict({ data, options: { topK: 3 } });
  const kept = ['[CLS]', 'good', 'bad', 'the', '[SEP]'];
  expect(predictions).toEqual([ranked(softmax(logitsOf(kept)))]);
  model.unload();
});

test('never goes beyond the tokenizer’s own limit', async () => {
  const folder = writeExport('limited', { id2label });
  const limits = JSON.stringify({ model_max_length: 8 });
  writeFileSync(path.join(folder, 'tokenizer_config.json'), limits);
  const model = await load(folder);
  const { predictions } = model.predict({ data: 'good '.repeat(600), options: { topK: 3 } });
  const kept = ['[CLS]', ...Array<string>(6).fill('good'), '[SEP]'];
  expect(predictions).toEqual([ranked(softmax(logitsOf(kept)))]);
  model.unload();
});

test('scores labels one by one where several may hold', async () => {
  const problem = { id2label, problem_type: 'multi_label_classification' };
  const model = await load(writeExport('multi', problem));
  const { predictions } = model.predict({ data: 'good', options: { topK: 3 } });
  const scores = logitsOf(['[CLS]', 'good', '[SEP]']).map((logit) => 1 / (1 + Math.exp(-logit)));
  expect(predictions).toEqual([ranked(scores)]);
  model.unload();
});

test('names labels that the export leaves unnamed', async () => {
  const model = await load(writeExport('unnamed', {}));
  const { predictions } = model.predict({ data: 'good', options: {} });
  expect(predictions).toMatchObject([{ label: expect.stringMatching(/^LABEL_[012]$/) }]);
  model.unload();
});

test('refuses a model with an input that no text fills', async () => {
  const inputs = ['input_ids', 'attention_mask', 'position_ids'];
  await expect(load(writeExport('positions', { id2label }, inputs))).rejects.toMatchObject({
    path: 'config.model.path',
    message: expect.stringContaining('it has "position_ids" too'),
  });
});

test('says what an unusable export lacks', async () => {
  const path_ = 'config.model.path';
  await expect(load(path.join(root, 'nowhere'))).rejects.toMatchObject({
    path: path_,
    message: expect.stringContaining('nowhere/model.onnx but found none'),
  });
  const folder = writeExport('broken', { id2label: { 0: 'one', 1: 'two' } });
  await expect(load(folder)).rejects.toMatchObject({
    path: path_,
    message: expect.stringContaining('expected 3 labels'),
  });
  rmSync(path.join(folder, 'tokenizer.json'));
  await expect(load(folder)).rejects.toMatchObject({
    path: path_,
    message: expect.stringContaining('tokenizer.json cannot be used'),
  });
});
