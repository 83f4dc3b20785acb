import { createRequire } from 'node:module';
import path from 'node:path';
import { InferenceSession, type SessionOptions, StepBatcher, Tensor } from 'cloudeasyml';

/** Samples per second that the network knows. */
export type SampleRate = 8000 | 16000;

/**
 * Samples that a step takes, by their rate: a frame of 32 ms, and before it the end of the frame before
 * (zeros before the first).
 */
export const windows: Record<SampleRate, { context: number; frame: number }> = {
  8000: { context: 32, frame: 256 },
  16000: { context: 64, frame: 512 },
};

/** Elements of each of the state's two halves. */
const stateSize = 128;

/** The state of an audio that has not begun: [2, 128]. */
export const newState = () => new Float32Array(2 * stateSize);

/** One frame of one audio. */
export interface Step {
  /** Context and frame, −1 to 1. */
  window: Float32Array;
  /** What the step before gave, or a new one. */
  state: Float32Array;
}

export interface StepResult {
  /** That the frame holds speech, 0 to 1. */
  probability: number;
  /** For the next step. */
  state: Float32Array;
}

const assets = path.dirname(createRequire(import.meta.url).resolve('@ricky0123/vad-web'));

/** Silero's recurrent network, which runs the frames of all audios that are under way in batches. */
export class SileroNetwork {
  readonly #session: InferenceSession;
  /** The rate holds for a whole run, so each has batches of its own. */
  readonly #batchers: Record<SampleRate, StepBatcher<Step, StepResult>>;

  private constructor(session: InferenceSession, maxBatchSize: number) {
    this.#session = session;
    const batcher = (rate: SampleRate) =>
      new StepBatcher((steps: Step[]) => this.#run(steps, rate), { maxBatchSize });
    this.#batchers = { 8000: batcher(8000), 16000: batcher(16000) };
  }

  /** @param maxBatchSize frames that one run takes at most */
  static async open(
    version: 'v5' | 'v6',
    maxBatchSize: number,
    sessionOptions: SessionOptions,
  ): Promise<SileroNetwork> {
    const file = path.join(assets, `silero_vad_${version}.onnx`);
    return new SileroNetwork(await InferenceSession.create(file, sessionOptions), maxBatchSize);
  }

  /** Takes an audio one frame further, together with the frames of others. */
  step(step: Step, rate: SampleRate): Promise<StepResult> {
    return this.#batchers[rate].run(step);
  }

  release(): void {
    this.#session.release();
  }

  /** input [N, window], state [2, N, 128] → output [N, 1], stateN [2, N, 128] */
  #run(steps: Step[], rate: SampleRate): StepResult[] {
    const count = steps.length;
    const { context, frame } = windows[rate];
    const input = new Float32Array(count * (context + frame));
    const states = new Float32Array(2 * count * stateSize);
    for (const [row, { window, state }] of steps.entries()) {
      input.set(window, row * window.length);
      states.set(state.subarray(0, stateSize), row * stateSize);
      states.set(state.subarray(stateSize), (count + row) * stateSize);
    }
    const { output, stateN } = this.#session.run({
      input: new Tensor('float32', input, [count, context + frame]),
      state: new Tensor('float32', states, [2, count, stateSize]),
      sr: new Tensor('int64', BigInt64Array.of(BigInt(rate)), []),
    });
    const probabilities = output!.data as Float32Array;
    const next = stateN!.data as Float32Array;
    return steps.map((_, row) => {
      const state = newState();
      for (const half of [0, 1]) {
        const start = (half * count + row) * stateSize;
        state.set(next.subarray(start, start + stateSize), half * stateSize);
      }
      return { probability: probabilities[row]!, state };
    });
  }
}
