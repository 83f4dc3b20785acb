import { type Boundary, Segmenter } from './segmenter.js';
import type { SpeechOptions } from './settings.js';
import { newState, type SampleRate, type SileroNetwork, windows } from './silero.js';

/** What a frame says; `time` is where it begins, in seconds from the beginning of the audio. */
export interface FrameProbability {
  time: number;
  /** That the frame holds speech, 0 to 1. */
  probability: number;
}

/** Where speech begins or ends, in seconds from the beginning of the audio. */
export interface SpeechEvent {
  event: 'start' | 'end';
  time: number;
}

export type Detection = FrameProbability | SpeechEvent;

/** Finds the speech in one audio, which comes in pieces of any length. */
export class SpeechDetector {
  readonly #network: SileroNetwork;
  readonly #sampleRate: SampleRate;
  readonly #segmenter: Segmenter;
  readonly #context: number;
  /** The context, then the samples of the next frame. */
  readonly #window: Float32Array;
  /** How many of the window's samples have come. */
  #filled: number;
  #state: Float32Array = newState();
  /** Samples of the frames that were run. */
  #position = 0;

  constructor(network: SileroNetwork, sampleRate: SampleRate, options: SpeechOptions) {
    const { context, frame } = windows[sampleRate];
    this.#network = network;
    this.#sampleRate = sampleRate;
    this.#segmenter = new Segmenter(sampleRate, options);
    this.#context = context;
    this.#window = new Float32Array(context + frame);
    this.#filled = context;
  }

  /**
   * Takes the next samples and runs the frames that they complete.
   *
   * @param samples −1 to 1
   */
  async *push(samples: Float32Array): AsyncGenerator<Detection> {
    let taken = 0;
    while (taken < samples.length) {
      const part = samples.subarray(taken, taken + this.#window.length - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === this.#window.length) yield* this.#run();
    }
  }

  /** The audio is over: runs the rest of it, filled up with silence, and ends speech that goes on. */
  async *finish(): AsyncGenerator<Detection> {
    if (this.#filled > this.#context) yield* this.#run();
    for (const boundary of this.#segmenter.finish(this.#position)) yield this.#event(boundary);
  }

  /** Runs the samples that have come as one frame. */
  async *#run(): AsyncGenerator<Detection> {
    const start = this.#position;
    const end = start + this.#filled - this.#context;
    const window = this.#window.fill(0, this.#filled);
    const step = { window, state: this.#state };
    const { probability, state } = await this.#network.step(step, this.#sampleRate);
    this.#state = state;
    this.#position = end;
    window.copyWithin(0, window.length - this.#context);
    this.#filled = this.#context;

    yield { time: this.#seconds(start), probability: Math.round(probability * 1e6) / 1e6 };
    const boundary = this.#segmenter.frame(probability, start, end);
    if (boundary) yield this.#event(boundary);
  }

  #event({ event, time }: Boundary): SpeechEvent {
    return { event, time: this.#seconds(time) };
  }

  /** To the millisecond: a frame is 32 of them long. */
  #seconds(samples: number): number {
    return Math.round((samples * 1000) / this.#sampleRate) / 1000;
  }
}
