import { AsyncResource } from 'node:async_hooks';

export interface StepBatcherOptions {
  /** Steps that one batch holds at most, 1 or more. Default 32. */
  maxBatchSize?: number;
}

/** A step that waits for its batch. */
interface Waiting<Step, Result> {
  step: Step;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Joins the steps of concurrent streams into batches.
 *
 * A model with a state takes its streams step by step, each step after the last one's result. Alone
 * these would be runs of one row each; the batcher runs together what all streams ask for in the same
 * turn of the event loop. Make one with the plugin, and one more for each kind of step that can't be joined
 * with the others, such as another shape.
 *
 * @example
 * const batcher = new StepBatcher(runRows, { maxBatchSize: 64 }); // in the plugin
 * const { state, output } = await batcher.run({ state, input }); // in each stream
 */
export class StepBatcher<Step, Result> {
  readonly #runBatch: (steps: Step[]) => Result[] | Promise<Result[]>;
  readonly #maxBatchSize: number;
  /** What happens in a batch belongs to none of the streams in it, so it has an async context of its own. */
  readonly #resource = new AsyncResource('StepBatcher');
  #waiting: Waiting<Step, Result>[] = [];
  /** From when a batch is scheduled until it is answered. */
  #busy = false;

  /**
   * @param runBatch answers from 1 to `maxBatchSize` steps, in their order, and keeps its hands off what
   * they hold until it can't fail any more: where it throws or rejects, each step is run once more,
   * alone, so that one bad step fails alone. It is never entered twice at a time, and sees the
   * `AsyncLocalStorage` of where the batcher was made.
   * @throws RangeError for a `maxBatchSize` that is no whole number of at least 1
   */
  constructor(
    runBatch: (steps: Step[]) => Result[] | Promise<Result[]>,
    { maxBatchSize = 32 }: StepBatcherOptions = {},
  ) {
    if (!Number.isInteger(maxBatchSize) || maxBatchSize < 1) {
      throw new RangeError(
        `Expected a whole number of at least 1 for maxBatchSize but received ${maxBatchSize}.`,
      );
    }
    this.#runBatch = runBatch;
    this.#maxBatchSize = maxBatchSize;
  }

  /**
   * Runs a step in the next batch, which starts when the event loop has turned and the batch before it
   * is answered. Steps are taken in the order of their calls.
   */
  run(step: Step): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ step, resolve, reject });
      if (!this.#busy) this.#schedule();
    });
  }

  #schedule(): void {
    this.#busy = true;
    this.#resource.runInAsyncScope(setImmediate, undefined, () => this.#runNext());
  }

  async #runNext(): Promise<void> {
    await this.#answer(this.#waiting.splice(0, this.#maxBatchSize));
    this.#busy = false;
    // Not at once: between two batches the event loop reads what other streams have been sent.
    if (this.#waiting.length > 0) this.#schedule();
  }

  async #answer(batch: Waiting<Step, Result>[]): Promise<void> {
    try {
      const results = await this.#runBatch(batch.map(({ step }) => step));
      if (results.length !== batch.length) {
        throw new Error(
          `runBatch must give a result for each step, but gave ${results.length} for ${batch.length}.`,
        );
      }
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error);
      else for (const waiting of batch) await this.#answer([waiting]);
    }
  }
}
