import {
  type BatchWorker,
  createBatchWorker,
  type NativeBatch,
  NextStep,
} from '../engine/batchWorker.js';
import { CodeGuard } from './codeGuard.js';
import type { HostedModel } from './hostedModel.js';
import { HostedModels } from './hostedModels.js';
import type { FromWorker, Hosting } from './messages.js';
import { OpenStreams } from './openStreams.js';

/** How long the code of stopped streams may take to end. */
const streamEndMs = 1_000;
/** Synchronous plugins may keep the event loop from turning for this long. */
const turnEveryMs = 2;
const overdueCheckMs = 1_000;

const interrupted = 'its plugin’s code did not come back in time, and was interrupted';

/**
 * One worker's loop over all deployments that it hosts: takes the next batch, runs it, completes its
 * requests, and passes notices to streams.
 *
 * While it hosts no plugin with code it sleeps in native code, which wakes fastest. Else it waits in the
 * event loop, so that the plugins' timers, promises and sockets go on. It always runs where the event loop
 * calls it, not in a promise's reaction, because of {@link CodeGuard}.
 */
export class BatchLoop {
  readonly #engine: BatchWorker;
  readonly #guard: CodeGuard;
  readonly #models: HostedModels;
  readonly #streams: OpenStreams;
  readonly #overdueCheck: NodeJS.Timeout;
  #running = 0;
  #isStopped = false;
  #isScheduled = false;
  /** The engine calls when there is work. */
  #isIdle = false;
  #onStopped: () => void = () => {};

  // The batch that is being entered.
  #batch: NativeBatch | undefined;
  #model: HostedModel | undefined;
  #pending: undefined | Promise<void>;
  readonly #enterBatch = () => {
    this.#pending = this.#model!.run(this.#batch!);
  };
  readonly #turn = () => {
    this.#isScheduled = false;
    this.#takeWork();
  };

  constructor(tell: (message: FromWorker) => void) {
    this.#engine = createBatchWorker(() => this.#onWork());
    this.#guard = new CodeGuard(this.#engine);
    this.#streams = new OpenStreams(
      this.#engine,
      this.#guard,
      (handle) => this.#models.get(handle),
      (model) => this.#models.lose(model, interrupted),
    );
    const streamsEnded = (model: HostedModel) => this.#streams.ended(model);
    this.#models = new HostedModels(this.#engine, this.#guard, streamsEnded, tell);
    this.#overdueCheck = setInterval(() => this.#models.loseOverdue(), overdueCheckMs).unref();
  }

  get workerId(): number {
    return this.#engine.id;
  }

  /** Loads a deployment's model and takes its batches from then on. @throws what {@link HostedModels} throws */
  async host(hosting: Hosting): Promise<void> {
    try {
      await this.#models.host(hosting);
    } finally {
      this.#schedule();
    }
  }

  /** Takes no more batches of a deployment and unloads its model, when its streams have ended. */
  async unhost(handle: number): Promise<void> {
    await this.#models.unhost(handle);
    this.#schedule();
  }

  /** Ends `run()`, which waits for the code of stopped streams. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#overdueCheck);
    this.#schedule();
  }

  /** Runs until `stop()`. */
  async run(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onStopped = resolve;
      // What was registered before must have reached the event loop's descriptor before a native sleep.
      this.#schedule();
    });
    await this.#streams.drain(streamEndMs);
  }

  #schedule(): void {
    this.#isIdle = false;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  #onWork(): void {
    if (!this.#isIdle || this.#isScheduled) return;
    if (this.#models.hasCode) this.#takeWork();
    else this.#schedule();
  }

  /** Takes what there is to do until the event loop must turn. */
  #takeWork(): void {
    this.#isIdle = false;
    const turnBy = performance.now() + turnEveryMs;
    while (!this.#isStopped) {
      const hasCode = this.#models.hasCode || this.#running > 0;
      const step = this.#engine.next(!hasCode);
      if (step === NextStep.idle) {
        this.#isIdle = true;
        return;
      }
      if (step === NextStep.turn) break;
      if (step === NextStep.notices) {
        this.#streams.takeNotices();
        break;
      }
      const goesOn = this.#runBatch(step as NativeBatch);
      if (goesOn || performance.now() > turnBy) break;
    }
    if (this.#isStopped) this.#onStopped();
    else this.#schedule();
  }

  /** @returns true where the plugin's code goes on in the event loop */
  #runBatch(batch: NativeBatch): boolean {
    const [batchId, handle] = batch;
    const model = this.#models.get(handle);
    if (!model) {
      // Unhosted since the batch was taken; the engine fails its requests.
      this.#engine.finish(batchId);
      return false;
    }
    this.#batch = batch;
    this.#model = model;
    this.#pending = undefined;
    const isInterrupted = this.#guard.runBatch(batchId, this.#enterBatch);
    const pending = this.#pending as undefined | Promise<void>;
    this.#batch = undefined;
    if (isInterrupted) {
      model.abandonBatch();
      this.#models.lose(model, interrupted);
      return true;
    }
    if (!pending) return false;
    this.#engine.leave();
    this.#running++;
    pending.finally(() => {
      this.#running--;
      this.#schedule();
    });
    return true;
  }
}
