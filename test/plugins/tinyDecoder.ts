import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GraphBuilder } from 'cloudeasyml/onnx';

export interface TinyDecoder {
  /** Of the cache and the logits. */
  type?: 'float32' | 'float16';
  /** Has `position_ids`; the position counts in what comes next. */
  hasPositions?: boolean;
  /** Has `use_cache_branch`, whose other branch does not look at the cache. */
  isMerged?: boolean;
  /** Axes of the cache without lengths, as some exports have them. */
  namedAxes?: boolean;
  /** The token that comes after each token; without it the sum of all tokens decides. */
  next?: readonly number[];
}

const codes = { float32: 1n, int64: 7n, float16: 10n };

/**
 * A decoder of one layer whose cache holds the token ids themselves. The next token is their sum (and
 * the last position, where it has positions), modulo the vocabulary's size: what it makes can be
 * worked out by hand, and is wrong where a token of the cache is lost, doubled or not attended to.
 */
export function tinyDecoder(vocabularySize: number, options: TinyDecoder = {}): GraphBuilder {
  const { type = 'float32', hasPositions, isMerged, namedAxes, next } = options;
  const graph = new GraphBuilder('tiny');
  const axes = (name: string, ...values: number[]) =>
    graph.constant(name, 'int64', [values.length], values);
  const cast = (value: string, to: keyof typeof codes) =>
    graph.node('Cast', [value], { attributes: { to: codes[to] } });

  graph.input('input_ids', 'int64', ['batch', 'sequence']);
  graph.input('attention_mask', 'int64', ['batch', 'total']);
  if (hasPositions) graph.input('position_ids', 'int64', ['batch', 'sequence']);
  if (isMerged) graph.input('use_cache_branch', 'bool', [1]);
  const [heads, headDim] = namedAxes ? ['heads', 'headDim'] : [1, 1];
  for (const part of ['key', 'value']) {
    graph.input(`past_key_values.0.${part}`, type, ['batch', heads, 'past', headDim]);
  }

  const headAxes = axes('head axes', 1, 3);
  const own = graph.node('Unsqueeze', [cast('input_ids', type), headAxes]);
  for (const part of ['key', 'value']) {
    const past = `past_key_values.0.${part}`;
    const outputs = [`present.0.${part}`];
    if (isMerged) {
      const withCache = graph.subgraph(`with.${part}`);
      const joined = withCache.node('Concat', [past, own], { attributes: { axis: 2n } });
      withCache.output(joined, type, [null, null, null, null]);
      const without = graph.subgraph(`without.${part}`);
      without.output(without.node('Identity', [own]), type, [null, null, null, null]);
      const attributes = { then_branch: withCache, else_branch: without };
      graph.node('If', ['use_cache_branch'], { attributes, outputs });
    } else {
      graph.node('Concat', [past, own], { attributes: { axis: 2n }, outputs });
    }
    graph.output(`present.0.${part}`, type, ['batch', heads, 'total', headDim]);
  }

  const last = graph.constant('last', 'int64', [], [-1]);
  const lastOf = (value: string) =>
    graph.node('Gather', [value, last], { attributes: { axis: 1n } });
  let index: string;
  if (next) {
    const table = graph.constant('next', 'int64', [vocabularySize], next);
    index = graph.node('Gather', [table, lastOf('input_ids')]);
  } else {
    const ids = graph.node('Squeeze', [cast('present.0.key', 'float32'), headAxes]);
    const seen = graph.node('Mul', [ids, cast('attention_mask', 'float32')]);
    const sum = graph.node('ReduceSum', [seen, axes('token axis', 1)], {
      attributes: { keepdims: 0n },
    });
    index = cast(sum, 'int64');
    if (hasPositions) index = graph.node('Add', [index, lastOf('position_ids')]);
    const size = graph.constant('size', 'int64', [], [vocabularySize]);
    index = graph.node('Mod', [index, size]);
  }
  const depth = axes('depth', vocabularySize);
  const values = graph.constant('values', 'float32', [2], [0, 9]);
  const row = graph.node('OneHot', [index, depth, values]);
  const perToken = graph.node('Expand', [
    graph.node('Unsqueeze', [row, axes('sequence axis', 1)]),
    graph.node('Concat', [graph.node('Shape', ['input_ids']), axes('one', 1)], {
      attributes: { axis: 0n },
    }),
  ]);
  graph.node('Cast', [perToken], { attributes: { to: codes[type] }, outputs: ['logits'] });
  graph.output('logits', type, ['batch', 'sequence', vocabularySize]);
  return graph;
}

export function writeExport(folder: string, files: Record<string, Uint8Array | object>): string {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return folder;
}

/** A tokenizer whose tokens are words with spaces between them. */
export function wordTokenizer(words: readonly string[]) {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      unk_token: words[0],
    },
  };
}
