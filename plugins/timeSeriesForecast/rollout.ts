import { type InferenceSession, Tensor } from 'cloudeasyml';

/** Steps several windows forward: each forecast becomes the newest observation of its window. */
export class Rollout {
  readonly #session: InferenceSession;
  readonly #width: number;
  /** [rows, width], the oldest observation first. */
  readonly #values: Float64Array;
  readonly #next: Float64Array;
  #feed: Tensor<'float64'>;
  #answer: Tensor<'float64'>;

  /** @param windows one row each, all as wide as the session's model takes them */
  constructor(session: InferenceSession, windows: readonly (readonly number[])[]) {
    this.#session = session;
    this.#width = windows[0]!.length;
    this.#values = Float64Array.from(windows.flat());
    this.#next = new Float64Array(windows.length);
    this.#feed = new Tensor('float64', this.#values, [windows.length, this.#width]);
    this.#answer = new Tensor('float64', this.#next, [windows.length, 1]);
  }

  /**
   * Forecasts one step further.
   *
   * @param rows how many of the first windows are stepped; never more than the time before
   * @returns their forecasts, valid until the next step
   */
  step(rows: number): Float64Array {
    const width = this.#width;
    if (rows !== this.#answer.size) {
      this.#feed = new Tensor('float64', this.#values.subarray(0, rows * width), [rows, width]);
      this.#answer = new Tensor('float64', this.#next.subarray(0, rows), [rows, 1]);
    }
    this.#session.run({ window: this.#feed }, { next: this.#answer });
    // Moves every row by one; what slides over from the row behind is overwritten.
    this.#values.copyWithin(0, 1, rows * width);
    const next = this.#answer.data;
    for (let row = 0; row < rows; row++) this.#values[(row + 1) * width - 1] = next[row]!;
    return next;
  }
}
