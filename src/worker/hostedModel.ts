import type { BatchWorker, NativeBatch } from '../engine/batchWorker.js';
import type { BaseModel, PartialPredictionOutput } from '../plugin/baseModel.js';
import { wholeAnswer } from './answers.js';
import { interruptedDetail } from './codeGuard.js';
import { describeFailure } from './describeFailure.js';
import { HostedStream } from './hostedStream.js';
import type { HostedPlugin } from './messages.js';
import { type ParsedBody, parseInput } from './parseInput.js';

/** A request of the batch being run: its place in the batch, and its input. */
interface Item extends ParsedBody {
  index: number;
}

/** One deployment's plugin instance on this thread, which runs its batches. */
export class HostedModel {
  readonly #engine: BatchWorker;
  readonly #model: BaseModel;
  readonly handle: number;
  /** A request's time at most. */
  readonly timeoutMs: number;
  /** Its batch, whose number and size these are, until it is finished. */
  #batchId = -1;
  #size = 0;
  /** The promise for it, where the plugin's code goes on in the event loop. */
  pending: Promise<void> | undefined;
  /** When that began. */
  pendingSince = Number.POSITIVE_INFINITY;

  constructor(engine: BatchWorker, model: BaseModel, handle: number, { serving }: HostedPlugin) {
    this.#engine = engine;
    this.#model = model;
    this.handle = handle;
    this.timeoutMs = serving.timeoutMs;
  }

  get instance(): BaseModel {
    return this.#model;
  }

  /** Makes a stream on it. @param enter what its code is entered with */
  openStream(stream: number, binary: boolean, enter: (code: () => void) => void): HostedStream {
    return new HostedStream(this.#engine, this.#model, stream, binary, enter);
  }

  /** Ends its batch, whose code does not come back. */
  abandonBatch(): void {
    const batchId = this.#batchId;
    if (batchId < 0) return;
    for (let index = 0; index < this.#size; index++) {
      this.#engine.fail(batchId, index, 'plugin_failed', interruptedDetail, '');
    }
    this.#finish(batchId);
  }

  /**
   * Answers every request of a batch and ends it. Where the plugin's code is synchronous this is done
   * on return; else when the promise resolves.
   */
  run([batchId, , ...bodies]: NativeBatch): undefined | Promise<void> {
    this.#batchId = batchId;
    this.#size = bodies.length;
    const items: Item[] = [];
    for (const [index, body] of bodies.entries()) {
      try {
        items.push({ index, ...parseInput(body) });
      } catch (error) {
        this.#fail(batchId, index, error);
      }
    }
    const pending = items.length > 0 ? this.#predict(batchId, items) : undefined;
    if (pending === undefined) {
      this.#finish(batchId);
      return undefined;
    }
    this.pendingSince = performance.now();
    this.pending = pending.finally(() => this.#finish(batchId));
    return this.pending;
  }

  #finish(batchId: number): void {
    this.#engine.finish(batchId);
    // It may have been abandoned before.
    if (batchId !== this.#batchId) return;
    this.#batchId = -1;
    this.pendingSince = Number.POSITIVE_INFINITY;
  }

  #predict(batchId: number, items: Item[]): undefined | Promise<void> {
    if (!this.#model.predictBatch) return this.#predictEach(batchId, items);
    const started = performance.now();
    const finish = (outputs: unknown) => {
      if (!Array.isArray(outputs) || outputs.length !== items.length) {
        const got = Array.isArray(outputs) ? `${outputs.length}` : typeof outputs;
        throw new Error(
          `predictBatch() must return an array of ${items.length} outputs, one per input; it returned ${got}.`,
        );
      }
      const elapsed = performance.now() - started;
      for (const [i, item] of items.entries()) {
        this.#answer(batchId, item, outputs[i], elapsed, true);
      }
      return undefined;
    };
    // One bad input must not fail the others of its batch: each is tried alone.
    const retry = (error: unknown) => {
      if (items.length > 1) return this.#predictEach(batchId, items);
      this.#fail(batchId, items[0]!.index, error);
      return undefined;
    };
    try {
      const outputs = this.#model.predictBatch(items.map((item) => item.input));
      return isPromise(outputs) ? outputs.then(finish).catch(retry) : finish(outputs);
    } catch (error) {
      return retry(error);
    }
  }

  #predictEach(batchId: number, items: Item[], from = 0): undefined | Promise<void> {
    for (let i = from; i < items.length; i++) {
      const item = items[i]!;
      const started = performance.now();
      const succeed = (output: PartialPredictionOutput) =>
        this.#answer(batchId, item, output, performance.now() - started, false);
      const fail = (error: unknown) => this.#fail(batchId, item.index, error);
      try {
        const output = this.#model.predict(item.input);
        if (isPromise(output)) {
          return output.then(succeed, fail).then(() => this.#predictEach(batchId, items, i + 1));
        }
        succeed(output);
      } catch (error) {
        fail(error);
      }
    }
    return undefined;
  }

  #answer(
    batchId: number,
    { index, asksForBinary }: Item,
    output: PartialPredictionOutput,
    elapsedMs: number,
    ranTogether: boolean,
  ): void {
    try {
      const binary = asksForBinary && this.#engine.wantsBinary(batchId, index);
      const { answer, processingTimeMs } = wholeAnswer(output, elapsedMs, binary);
      this.#engine.succeed(batchId, index, answer, processingTimeMs, ranTogether);
    } catch (error) {
      this.#fail(batchId, index, error);
    }
  }

  #fail(batchId: number, index: number, error: unknown): void {
    const { code, detail, path } = describeFailure(error);
    this.#engine.fail(batchId, index, code, detail, path);
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function';
}
