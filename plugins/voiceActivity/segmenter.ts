import type { SpeechOptions } from './settings.js';

/** Where speech begins or ends; `time` is in samples from the beginning of the audio. */
export interface Boundary {
  event: 'start' | 'end';
  time: number;
}

/**
 * Turns the probabilities of an audio's frames into the boundaries of speech, as they become certain.
 *
 * Speech begins with a frame of at least `threshold`. It ends with the first frame below `negThreshold`
 * from which on there is none of at least `threshold` for `minSilenceDurationMs`. Speech that is not
 * longer than `minSpeechDurationMs` is passed over. What is left is padded by `speechPadMs` on both
 * sides, but never into the speech before.
 */
export class Segmenter {
  readonly #threshold: number;
  readonly #negThreshold: number;
  readonly #minSpeech: number;
  readonly #minSilence: number;
  readonly #pad: number;
  /** Where the speech began that has not ended yet. */
  #speech: number | undefined;
  /** Where the silence began that ends the speech, if it lasts. */
  #silence: number | undefined;
  /** Whether the speech has lasted long enough to be told of. */
  #told = false;
  /** Where the speech before ended, padded. */
  #lastEnd = 0;

  constructor(sampleRate: number, options: SpeechOptions) {
    const samples = (milliseconds: number) => (milliseconds * sampleRate) / 1000;
    this.#threshold = options.threshold;
    this.#negThreshold = options.negThreshold;
    this.#minSpeech = samples(options.minSpeechDurationMs);
    this.#minSilence = samples(options.minSilenceDurationMs);
    this.#pad = samples(options.speechPadMs);
  }

  /**
   * Takes the next frame.
   *
   * @param start samples before it
   * @param end samples up to its end, which is the audio's where that comes first
   */
  frame(probability: number, start: number, end: number): Boundary | undefined {
    if (probability >= this.#threshold) {
      this.#speech ??= start;
      this.#silence = undefined;
    } else if (probability < this.#negThreshold && this.#speech !== undefined) {
      this.#silence ??= start;
      if (start - this.#silence >= this.#minSilence) return this.#end(this.#silence + this.#pad);
    }
    return this.#silence === undefined ? this.#tell(end) : undefined;
  }

  /**
   * The audio is over: so is speech that has not ended yet.
   *
   * @param length of the whole audio, in samples
   */
  finish(length: number): Boundary[] {
    return [this.#tell(length), this.#end(length)].filter((boundary) => boundary !== undefined);
  }

  /** Tells once of the speech that reaches at least to `until`, when that is long enough. */
  #tell(until: number): Boundary | undefined {
    if (this.#speech === undefined || this.#told) return undefined;
    if (until - this.#speech <= this.#minSpeech) return undefined;
    this.#told = true;
    return { event: 'start', time: Math.max(this.#speech - this.#pad, this.#lastEnd) };
  }

  #end(time: number): Boundary | undefined {
    const told = this.#told;
    this.#speech = undefined;
    this.#silence = undefined;
    this.#told = false;
    if (!told) return undefined;
    this.#lastEnd = time;
    return { event: 'end', time };
  }
}
