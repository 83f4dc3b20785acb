import type { Tokenizer } from '@huggingface/tokenizers';

/** What decoders put in the place of bytes that are no whole character. */
const replacement = '\uFFFD';

/** UTF-8 has characters of up to so many bytes, and a token has at least one. */
const longestCharacter = 4;

/** So many tokens before decide how the next one is written, for instance whether with a space. */
const contextTokens = 5;

/**
 * Turns tokens into text one by one. Text whose last character is not whole yet is held back until it
 * is; bytes that are no character at all are left out.
 */
export class Detokenizer {
  readonly #tokenizer: Tokenizer;
  #ids: number[];
  /** So many of the ids have been given out as text; the others are held back. */
  #shown: number;

  /** @param before the tokens that the text goes on from */
  constructor(tokenizer: Tokenizer, before: readonly number[]) {
    this.#tokenizer = tokenizer;
    this.#ids = before.slice(-contextTokens);
    this.#shown = this.#ids.length;
  }

  /** @returns the text that the token makes whole; often that of the token, at times none */
  push(id: number): string {
    this.#ids.push(id);
    let text = '';
    while (this.#decode(this.#ids).endsWith(replacement)) {
      if (this.#ids.length - this.#shown < longestCharacter) return text;
      // Held back for so long, the first of them cannot be part of what is to become whole.
      text += this.#show(this.#shown + 1);
    }
    return text + this.#show(this.#ids.length);
  }

  /** Gives out the ids up to `end`, as what they add to the text of those before. */
  #show(end: number): string {
    const before = this.#decode(this.#ids.slice(0, this.#shown));
    const after = this.#decode(this.#ids.slice(0, end));
    this.#ids = this.#ids.slice(this.#shown);
    this.#shown = end - this.#shown;
    return after.slice(before.length).replaceAll(replacement, '');
  }

  #decode(ids: number[]): string {
    if (ids.length === 0) return '';
    return this.#tokenizer.decode(ids, {
      skip_special_tokens: true,
      // It would change text that has been given out.
      clean_up_tokenization_spaces: false,
    });
  }
}
