import type { BatchWorker, Body } from '../engine/batchWorker.js';
import type { RunScope } from '../engine/runScope.js';
import { CloudEasyMLError } from '../errors.js';
import type { PluginLogger, PredictionContext, PredictionInput } from '../plugin/baseModel.js';
import { parseInput } from './parseInput.js';

/** Stands for all requests of a batch, where one is named by its index. */
export const wholeBatch = 2 ** 32 - 1;

/** The runs for one request of a batch, or for all of them; they stop when it has ended. */
export class RequestScope implements RunScope {
  readonly #engine: BatchWorker;
  readonly #batchId: number;
  readonly #index: number;
  #aborter: AbortController | undefined;
  #isClosed = false;

  constructor(engine: BatchWorker, batchId: number, index: number) {
    this.#engine = engine;
    this.#batchId = batchId;
    this.#index = index;
  }

  /** Made when it is first asked for. */
  get signal(): AbortSignal {
    if (!this.#aborter) {
      this.#aborter = new AbortController();
      this.#engine.watchBatch(this.#batchId);
      this.abortIfEnded();
    }
    return this.#aborter.signal;
  }

  enter(): void {
    this.#engine.enterBatch(this.#batchId, this.#index);
  }

  leave(): void {
    this.#engine.leaveScope();
  }

  /** Whether {@link abortIfEnded} might call the plugin's code. */
  get isWatched(): boolean {
    return this.#aborter !== undefined && !this.#isClosed && !this.#aborter.signal.aborted;
  }

  abortIfEnded(): void {
    if (!this.isWatched || !this.#engine.hasEnded(this.#batchId, this.#index)) return;
    this.#aborter!.abort(
      new CloudEasyMLError('cancelled', 'Nobody waits for the request any more.'),
    );
  }

  /** The plugin has answered. */
  close(): void {
    this.#isClosed = true;
  }
}

/** A request of the batch being run: its input, and what the plugin may ask about it. */
export class RequestContext implements PredictionContext {
  readonly #engine: BatchWorker;
  readonly #batchId: number;
  readonly #index: number;
  readonly #logger: PluginLogger;
  readonly #input: PredictionInput;
  readonly #asksForBinary: boolean;
  #scope: RequestScope | undefined;
  #deadline: number | undefined;

  /** @throws what {@link parseInput} throws */
  constructor(
    engine: BatchWorker,
    logger: PluginLogger,
    batchId: number,
    index: number,
    body: Body,
  ) {
    const { input, asksForBinary } = parseInput(body);
    this.#engine = engine;
    this.#logger = logger;
    this.#batchId = batchId;
    this.#index = index;
    this.#input = input;
    this.#asksForBinary = asksForBinary;
  }

  static inputOf(context: RequestContext): PredictionInput {
    return context.#input;
  }

  static indexOf(context: RequestContext): number {
    return context.#index;
  }

  static asksForBinary(context: RequestContext): boolean {
    return context.#asksForBinary;
  }

  static scopeOf(context: RequestContext): RequestScope {
    context.#scope ??= new RequestScope(context.#engine, context.#batchId, context.#index);
    return context.#scope;
  }

  /** Undefined where nothing has asked for it. */
  static usedScopeOf(context: RequestContext): RequestScope | undefined {
    return context.#scope;
  }

  get signal(): AbortSignal {
    return RequestContext.scopeOf(this).signal;
  }

  get deadline(): number {
    this.#deadline ??= Date.now() + this.#engine.timeLeft(this.#batchId, this.#index);
    return this.#deadline;
  }

  get requestId(): string {
    return this.#engine.requestId(this.#batchId, this.#index);
  }

  get logger(): PluginLogger {
    return this.#logger;
  }
}
