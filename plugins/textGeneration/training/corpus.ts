import type { Tokenizer } from '@huggingface/tokenizers';
import type { Random } from '../random.js';
import { endOfText } from './bytePairs.js';
import type { Windows } from './trainingStep.js';

/** One of so many blocks of the text is held back to validate on. */
const heldBackEvery = 20;
/** Most tokens of a block; less where the text is short. */
const longestBlock = 4096;

const sentenceEnd = /[.!?\n]["'”’)]*$/;

/** Tokens to draw windows from. */
export class Corpus {
  readonly length: number;
  readonly #ids: Uint32Array;
  /** Where sentences begin. */
  readonly #starts: readonly number[];

  constructor(ids: Uint32Array, startsSentence: (before: number, id: number) => boolean) {
    this.#ids = ids;
    this.length = ids.length;
    this.#starts = [...ids.keys()].filter((at) => at > 0 && startsSentence(ids[at - 1]!, ids[at]!));
  }

  /**
   * Draws windows of `length` + 1 tokens: the mark that begins a text, and what follows the beginning of
   * a sentence. A served prompt looks like that, too.
   */
  draw(batch: number, length: number, random: Random): Windows {
    const ids = new BigInt64Array(batch * (length + 1));
    const last = this.length - length;
    // Sentences that begin too late are at the end.
    const usable = this.#starts.findLastIndex((start) => start <= last) + 1;
    for (let row = 0; row < batch; row++) {
      const start = usable > 0 ? this.#starts[random.below(usable)]! : random.below(last + 1);
      for (let at = 0; at < length; at++) {
        ids[row * (length + 1) + 1 + at] = BigInt(this.#ids[start + at]!);
      }
    }
    return { batch, ids };
  }
}

/** Encodes texts, and holds back blocks of them all over to validate on. */
export function splitCorpus(texts: readonly string[], tokenizer: Tokenizer) {
  const mark = tokenizer.token_to_id(endOfText)!;
  const ids = texts.flatMap((text) => [
    ...tokenizer.encode(text, { add_special_tokens: false }).ids,
    mark,
  ]);
  const block = Math.min(longestBlock, Math.ceil(ids.length / heldBackEvery));
  const isHeldBack = (at: number) => Math.floor(at / block) % heldBackEvery === heldBackEvery - 1;

  const vocabulary = [...tokenizer.get_vocab(true)];
  const ends = new Set<number>([mark]);
  const begins = new Set<number>();
  for (const [token, id] of vocabulary) {
    if (sentenceEnd.test(tokenizer.decode([id]))) ends.add(id);
    if (token.startsWith('Ġ')) begins.add(id);
  }
  const corpus = (part: number[]) =>
    new Corpus(Uint32Array.from(part), (before, id) => ends.has(before) && begins.has(id));
  return {
    training: corpus(ids.filter((_, at) => !isHeldBack(at))),
    validation: corpus(ids.filter((_, at) => isHeldBack(at))),
  };
}
