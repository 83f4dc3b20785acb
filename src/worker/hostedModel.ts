import type { BatchWorker, NativeBatch } from '../engine/batchWorker.js';
import { inRunScope, mayRun } from '../engine/runScope.js';
import { CloudEasyMLError } from '../errors.js';
import type { BaseModel, PartialPredictionOutput } from '../plugin/baseModel.js';
import { wholeAnswer } from './answers.js';
import { interruptedDetail } from './codeGuard.js';
import { describeFailure } from './describeFailure.js';
import { HostedStream } from './hostedStream.js';
import type { HostedPlugin } from './messages.js';
import type { DeploymentLog } from './pluginLogger.js';
import { RequestContext, RequestScope, wholeBatch } from './requestContext.js';

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
  /** The batch's requests, and what its runs are for. */
  #calls: readonly RequestContext[] = [];
  #batchScope: RequestScope | undefined;
  readonly #log: DeploymentLog;

  constructor(
    engine: BatchWorker,
    model: BaseModel,
    handle: number,
    { serving }: HostedPlugin,
    log: DeploymentLog,
  ) {
    this.#engine = engine;
    this.#log = log;
    this.#model = model;
    this.handle = handle;
    this.timeoutMs = serving.timeoutMs;
  }

  get instance(): BaseModel {
    return this.#model;
  }

  /** Makes a stream on it. @param enter what its code is entered with */
  openStream(stream: number, binary: boolean, enter: (code: () => void) => void): HostedStream {
    return new HostedStream(this.#engine, this.#model, this.#log, stream, binary, enter);
  }

  /** Whether {@link onRequestsEnded} might call the plugin's code. */
  get isWatched(): boolean {
    return (
      this.#batchScope?.isWatched ||
      this.#calls.some((call) => RequestContext.usedScopeOf(call)?.isWatched)
    );
  }

  /** Aborts the signals of requests that have ended without its doing. */
  onRequestsEnded(): void {
    this.#batchScope?.abortIfEnded();
    for (const call of this.#calls) RequestContext.usedScopeOf(call)?.abortIfEnded();
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
    const calls: RequestContext[] = [];
    for (const [index, body] of bodies.entries()) {
      try {
        calls.push(new RequestContext(this.#engine, this.#log, batchId, index, body));
      } catch (error) {
        this.#fail(batchId, index, error);
      }
    }
    this.#calls = calls;
    const pending = calls.length > 0 ? this.#predict(batchId, calls) : undefined;
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
    this.#calls = [];
    this.#batchScope = undefined;
    this.pendingSince = Number.POSITIVE_INFINITY;
  }

  #predict(batchId: number, calls: RequestContext[]): undefined | Promise<void> {
    const model = this.#model;
    if (!model.predictBatch) return this.#predictEach(batchId, calls);
    const started = performance.now();
    const finish = (outputs: unknown) => {
      if (!Array.isArray(outputs) || outputs.length !== calls.length) {
        const got = Array.isArray(outputs) ? `${outputs.length}` : typeof outputs;
        throw new Error(
          `predictBatch() must return an array of ${calls.length} outputs, one per input; it returned ${got}.`,
        );
      }
      const elapsed = performance.now() - started;
      for (const [i, call] of calls.entries()) {
        this.#answer(batchId, call, outputs[i], elapsed, true);
      }
      return undefined;
    };
    // One bad input must not fail the others of its batch: each is tried alone.
    const retry = (error: unknown) => {
      if (calls.length > 1) return this.#predictEach(batchId, calls);
      this.#failCall(batchId, calls[0]!, error);
      return undefined;
    };
    try {
      const inputs = calls.map(RequestContext.inputOf);
      const outputs = mayRun()
        ? inRunScope(this.#wholeScope(batchId), () => model.predictBatch!(inputs, calls))
        : model.predictBatch(inputs, calls);
      return isPromise(outputs) ? outputs.then(finish).catch(retry) : finish(outputs);
    } catch (error) {
      return retry(error);
    }
  }

  #predictEach(batchId: number, calls: RequestContext[], from = 0): undefined | Promise<void> {
    for (let i = from; i < calls.length; i++) {
      const call = calls[i]!;
      const started = performance.now();
      const succeed = (output: PartialPredictionOutput) =>
        this.#answer(batchId, call, output, performance.now() - started, false);
      const fail = (error: unknown) => this.#failCall(batchId, call, error);
      try {
        const input = RequestContext.inputOf(call);
        const output = mayRun()
          ? inRunScope(RequestContext.scopeOf(call), () => this.#model.predict(input, call))
          : this.#model.predict(input, call);
        if (isPromise(output)) {
          return output.then(succeed, fail).then(() => this.#predictEach(batchId, calls, i + 1));
        }
        succeed(output);
      } catch (error) {
        fail(error);
      }
    }
    return undefined;
  }

  #wholeScope(batchId: number): RequestScope {
    this.#batchScope = new RequestScope(this.#engine, batchId, wholeBatch);
    return this.#batchScope;
  }

  #answer(
    batchId: number,
    call: RequestContext,
    output: PartialPredictionOutput | Error,
    elapsedMs: number,
    ranTogether: boolean,
  ): void {
    try {
      if (output instanceof Error) throw output;
      const index = RequestContext.indexOf(call);
      const binary = RequestContext.asksForBinary(call) && this.#engine.wantsBinary(batchId, index);
      const { answer, processingTimeMs } = wholeAnswer(output, elapsedMs, binary);
      RequestContext.usedScopeOf(call)?.close();
      this.#engine.succeed(batchId, index, answer, processingTimeMs, ranTogether);
    } catch (error) {
      this.#failCall(batchId, call, error);
    }
  }

  #failCall(batchId: number, call: RequestContext, error: unknown): void {
    RequestContext.usedScopeOf(call)?.close();
    this.#fail(batchId, RequestContext.indexOf(call), error);
  }

  #fail(batchId: number, index: number, error: unknown): void {
    const { code, detail, path } = describeFailure(error);
    const isStopped = error instanceof CloudEasyMLError && error.code === 'cancelled';
    if (code === 'plugin_failed' && !isStopped)
      this.#log.failure('a plugin’s code failed a prediction', error);
    this.#engine.fail(batchId, index, code, detail, path);
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === 'function';
}
