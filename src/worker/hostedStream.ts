import { type BatchWorker, Notice } from '../engine/batchWorker.js';
import { inRunScope, type RunScope } from '../engine/runScope.js';
import { CloudEasyMLError } from '../errors.js';
import {
  type BaseModel,
  InputError,
  type PartialPredictionOutput,
  type PredictionInput,
  type StreamContext,
} from '../plugin/baseModel.js';
import { roundMs, streamedAnswer } from './answers.js';
import { interruptedDetail } from './codeGuard.js';
import { describeFailure } from './describeFailure.js';
import { parseInput } from './parseInput.js';
import type { DeploymentLog } from './pluginLogger.js';

/** A stream may keep the event loop from turning for this long. */
const turnEveryMs = 2;

/**
 * One stream on its worker: feeds a plugin's `stream()` with the inputs as they come, and delivers what it
 * yields, as fast as the client reads.
 */
export class HostedStream {
  readonly #engine: BatchWorker;
  readonly #model: BaseModel;
  readonly #log: DeploymentLog;
  readonly #number: number;
  readonly #binary: boolean;
  readonly #aborter = new AbortController();
  #onInput: (() => void) | undefined;
  #onRoom: (() => void) | undefined;
  /** Input that came with the frame that opened the stream. */
  #first: PredictionInput | undefined;
  #inputs = 0;
  /** Milliseconds that the plugin's code waited for its client. */
  #waitedMs = 0;
  readonly #enter: (code: () => void) => void;
  #onEnd: () => void = () => {};
  /** Resolves when its code has ended. */
  readonly ended: Promise<void>;

  /** @param enter enters the plugin's code from the event loop */
  constructor(
    engine: BatchWorker,
    model: BaseModel,
    log: DeploymentLog,
    stream: number,
    binary: boolean,
    enter: (code: () => void) => void,
  ) {
    this.#engine = engine;
    this.#model = model;
    this.#log = log;
    this.#number = stream;
    this.#binary = binary;
    this.#enter = enter;
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
  }

  /** Serves the stream until it ends for any reason. */
  start(): void {
    void this.#run().finally(this.#onEnd);
  }

  /** Its code did not come back, and does not go on. */
  onInterrupted(): void {
    this.#engine.failStream(this.#number, 'plugin_failed', interruptedDetail, '', 0, this.#inputs);
    this.#onEnd();
  }

  /** Takes {@link Notice}s. */
  onNotice(notice: number): void {
    const stops = (notice & Notice.stop) !== 0;
    if (stops) this.#abort();
    if (stops || notice & Notice.input) this.#onInput?.();
    if (stops || notice & Notice.room) this.#onRoom?.();
  }

  async #run(): Promise<void> {
    const scope: RunScope = {
      signal: this.#aborter.signal,
      enter: () => this.#engine.enterStream(this.#number),
      leave: () => this.#engine.leaveScope(),
    };
    const startedAt = performance.now();
    const busyMs = () => roundMs(performance.now() - startedAt - this.#waitedMs);
    let isDelivered: boolean;
    try {
      await inRunScope(scope, () => this.#serve());
      const processingTimeMs = busyMs();
      const last = `{"processingTimeMs":${processingTimeMs}}`;
      isDelivered = this.#engine.endStream(this.#number, last, processingTimeMs, this.#inputs);
    } catch (error) {
      const { code, detail, path } = describeFailure(error);
      if (code === 'plugin_failed' && !this.#aborter.signal.aborted) {
        this.#log.failure('a plugin’s code failed a stream', error);
      }
      isDelivered = this.#engine.failStream(
        this.#number,
        code,
        detail,
        path,
        busyMs(),
        this.#inputs,
      );
    }
    // A run that was stopped may have ended the code before the notice came.
    if (!isDelivered) this.#abort();
  }

  #abort(): void {
    const why = 'Nobody waits for the stream any more.';
    if (!this.#aborter.signal.aborted) this.#aborter.abort(new CloudEasyMLError('cancelled', why));
  }

  async #serve(): Promise<void> {
    const context = this.#open();
    const outputs = this.#model.stream!(this.#inputsOf(context), context)?.[
      Symbol.asyncIterator
    ]?.();
    if (!outputs) throw new Error('stream() must return an async iterable, such as a generator’s.');
    let turnedAt = performance.now();
    try {
      for (;;) {
        const { value, done } = await outputs.next();
        if (done || context.signal.aborted) return;
        await this.#deliver(value);
        if (performance.now() - turnedAt > turnEveryMs) {
          await this.#nextTurn();
          turnedAt = performance.now();
        }
        if (context.signal.aborted) return;
      }
    } finally {
      // Where the plugin's own code did not end it, this has its `finally` run.
      await outputs.return?.();
    }
  }

  /** Reads the frame that opened the stream: its options are the stream's, its data the first input. */
  #open(): StreamContext {
    const body = this.#engine.takeInput(this.#number);
    const { input } = parseInput(body ?? '{}');
    if (input.data !== undefined) this.#first = input;
    const deadline = () => Date.now() + this.#engine.stepTimeLeft(this.#number);
    return {
      signal: this.#aborter.signal,
      options: input.options,
      requestId: this.#engine.streamRequestId(this.#number),
      logger: this.#log,
      get deadline() {
        return deadline();
      },
    };
  }

  async *#inputsOf({ signal }: StreamContext): AsyncGenerator<PredictionInput> {
    if (this.#first) {
      this.#inputs++;
      yield this.#first;
      this.#first = undefined;
    }
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const body = this.#engine.takeInput(this.#number);
      if (body === null) {
        // The end of a stopped stream is no end of its input.
        if (signal.aborted) throw signal.reason;
        if (this.#inputs > 0) return;
        throw new InputError('data', 'Expected at least one input before the end.');
      }
      if (body === undefined) {
        await this.#waiting((resolve) => {
          this.#onInput = resolve;
        });
        continue;
      }
      const { input } = parseInput(body);
      if (input.data === undefined) {
        throw new InputError('data', 'Expected the input, but the frame has none.');
      }
      this.#inputs++;
      yield input;
    }
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => setImmediate(() => this.#enter(resolve)));
  }

  async #deliver(output: PartialPredictionOutput): Promise<void> {
    const { signal } = this.#aborter;
    const hasRoom = this.#engine.emit(this.#number, streamedAnswer(output, this.#binary));
    if (hasRoom || signal.aborted) return;
    await this.#waiting((resolve) => {
      this.#onRoom = resolve;
    });
  }

  async #waiting(register: (resolve: () => void) => void): Promise<void> {
    const startedAt = performance.now();
    await new Promise<void>(register);
    this.#waitedMs += performance.now() - startedAt;
  }
}
