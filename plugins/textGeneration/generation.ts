import { randomInt } from 'node:crypto';
import type { CausalDecoder, TokenSequence } from './causalDecoder.js';
import { Detokenizer } from './detokenizer.js';
import type { GenerationOptions } from './options.js';
import { Random } from './random.js';
import { sampleToken } from './sampling.js';
import { StopStrings } from './stopStrings.js';

/** "stop": the model ended the text, or a stop string came; "length": `maxLength` tokens were made. */
export type FinishReason = 'stop' | 'length';

/** One token as it is made. */
export interface Piece {
  /** What can be given out of the text now, which may be nothing or may end with an earlier token's. */
  text: string;
  tokenId: number;
  /** On the last piece only. */
  finish?: Finish;
}

export interface Finish {
  finishReason: FinishReason;
  /** Tokens of the prompt, with those that the tokenizer put in front. */
  promptTokens: number;
  /** Tokens that were made, with the one that ended the text. */
  generatedTokens: number;
  /** Makes the same text again. */
  seed: number;
}

/** Most of what a seed can be: mulberry32 has 32 bits of state. */
const seedLimit = 2 ** 32;

/**
 * Goes on with a text, token by token; each step of the iteration is one run of the model.
 *
 * @param sequence what came before; the prompt and what is made are appended to it
 * @param promptIds may be empty where the sequence is not
 */
export function* generate(
  decoder: CausalDecoder,
  sequence: TokenSequence,
  promptIds: readonly number[],
  options: GenerationOptions,
): Generator<Piece, void> {
  const seed = options.seed ?? randomInt(seedLimit);
  const random = new Random(seed);
  const stops = new StopStrings(options.stop);
  sequence.append(promptIds);
  const detokenizer = new Detokenizer(decoder.tokenizer, sequence.ids);
  for (let made = 1; ; made++) {
    const tokenId = sampleToken(sequence.forecast(), options, random);
    sequence.append([tokenId]);
    const isEnd = decoder.endIds.has(tokenId);
    const { text, found } = isEnd
      ? { text: '', found: false }
      : stops.push(detokenizer.push(tokenId));
    if (!isEnd && !found && made < options.maxLength) {
      yield { text, tokenId };
      continue;
    }
    yield {
      text: text + stops.rest(),
      tokenId,
      finish: {
        finishReason: isEnd || found ? 'stop' : 'length',
        promptTokens: promptIds.length,
        generatedTokens: made,
        seed,
      },
    };
    return;
  }
}
