import { Tokenizer } from '@huggingface/tokenizers';

/** What a tokenizer.json holds, as far as it is written here. */
export type TokenizerJson = Record<string, unknown>;

/** Marks the beginning and the end of a text; its id is 0. */
export const endOfText = '<|endoftext|>';

/** A word of the corpus, cut into the symbols that it has so far. */
interface Word {
  symbols: string[];
  count: number;
}

/** Two symbols next to each other: how often, and in which words. */
interface Pair {
  left: string;
  right: string;
  count: number;
  words: Set<Word>;
}

/**
 * Learns a byte-level byte pair encoding (Sennrich, Haddow and Birch 2016; Radford et al. 2019): any
 * text has tokens, and each token that is made stands for a piece of a word that is frequent.
 *
 * @param texts to learn from
 * @param vocabularySize tokens in all; at least 257, of the bytes and `endOfText`
 */
export function trainBytePairs(texts: Iterable<string>, vocabularySize: number): TokenizerJson {
  const alphabet = [endOfText, ...byteSymbols()];
  const words = countWords(texts, tokenizerJson(alphabet, []));
  const pairs = countPairs(words);
  // Two merges may make the same token.
  const vocabulary = new Set(alphabet);
  const merges: [string, string][] = [];
  while (vocabulary.size < vocabularySize) {
    const best = mostFrequent(pairs);
    if (!best) break;
    merges.push([best.left, best.right]);
    vocabulary.add(best.left + best.right);
    for (const word of [...best.words]) {
      forEachPair(word, (left, right) => addTo(pairs, word, left, right, -word.count));
      word.symbols = merged(word.symbols, best.left, best.right);
      forEachPair(word, (left, right) => addTo(pairs, word, left, right, word.count));
    }
  }
  return tokenizerJson([...vocabulary], merges);
}

/** The character that stands for each byte in a vocabulary: printable ones for themselves, as in GPT-2. */
function byteSymbols(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}

function countWords(texts: Iterable<string>, json: TokenizerJson): Word[] {
  const splitter = new Tokenizer(json, {}).pre_tokenizer!;
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of splitter.pre_tokenize(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => ({ symbols: [...word], count }));
}

function countPairs(words: readonly Word[]): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (const word of words) {
    forEachPair(word, (left, right) => addTo(pairs, word, left, right, word.count));
  }
  return pairs;
}

function forEachPair({ symbols }: Word, visit: (left: string, right: string) => void): void {
  for (let at = 1; at < symbols.length; at++) visit(symbols[at - 1]!, symbols[at]!);
}

function addTo(
  pairs: Map<string, Pair>,
  word: Word,
  left: string,
  right: string,
  count: number,
): void {
  const key = `${left} ${right}`;
  const pair = pairs.get(key) ?? { left, right, count: 0, words: new Set() };
  pairs.set(key, pair);
  pair.count += count;
  if (count > 0) pair.words.add(word);
  else pair.words.delete(word);
  if (pair.count === 0) pairs.delete(key);
}

function mostFrequent(pairs: ReadonlyMap<string, Pair>): Pair | undefined {
  let best: Pair | undefined;
  for (const pair of pairs.values()) {
    if (!best || pair.count > best.count) best = pair;
  }
  return best;
}

function merged(symbols: readonly string[], left: string, right: string): string[] {
  const result: string[] = [];
  for (let at = 0; at < symbols.length; at++) {
    const isPair = symbols[at] === left && symbols[at + 1] === right;
    result.push(isPair ? left + right : symbols[at]!);
    if (isPair) at++;
  }
  return result;
}

function tokenizerJson(
  vocabulary: readonly string[],
  merges: readonly (readonly [string, string])[],
): TokenizerJson {
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: true,
    trim_offsets: true,
    use_regex: true,
  };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: 0,
        content: endOfText,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: endOfText, type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
      ],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { [endOfText]: { id: endOfText, ids: [0], tokens: [endOfText] } },
    },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges,
    },
  };
}
