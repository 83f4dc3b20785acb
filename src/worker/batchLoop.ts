import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type BatchWorker,
  createBatchWorker,
  type NativeBatch,
  NextStep,
  Notice,
} from '../engine/batchWorker.js';
import { HostedModel } from './hostedModel.js';
import type { HostedStream } from './hostedStream.js';
import { loadTimedOut } from './loadFailure.js';
import { loadInstance } from './loadInstance.js';
import type { Hosting } from './messages.js';
import { within } from './within.js';

/** How long the code of stopped streams may take to end. */
const streamEndMs = 1_000;

interface OpenStream {
  model: HostedModel;
  hosted: HostedStream;
  ended: Promise<void>;
}

/** Synchronous plugins may keep the event loop from turning for this long. */
const turnEveryMs = 2;

/**
 * One worker's loop over all deployments that it hosts: takes the next batch, runs it, completes its
 * requests, and passes notices to streams.
 *
 * While it hosts no plugin with code it sleeps in native code, which wakes fastest. Else it waits in the
 * event loop, so that the plugins' timers, promises and sockets go on.
 */
export class BatchLoop {
  readonly #engine: BatchWorker;
  readonly #models = new Map<number, HostedModel>();
  /** The deployments that load here, each with its attempt. */
  readonly #loading = new Map<number, symbol>();
  readonly #streams = new Map<number, OpenStream>();
  #running = 0;
  #stopped = false;
  #stopBy = 0;
  #hasWork = false;
  #wake: (() => void) | undefined;

  constructor() {
    this.#engine = createBatchWorker(() => this.#awaken());
  }

  get workerId(): number {
    return this.#engine.id;
  }

  /**
   * Loads a deployment's model and takes its batches from then on.
   *
   * @throws whatever the plugin throws; CloudEasyMLError where it takes too long
   */
  async host({ handle, plugin, loadLimitMs }: Hosting): Promise<void> {
    if (plugin) {
      const attempt = Symbol();
      this.#loading.set(handle, attempt);
      try {
        const instance = loadInstance(plugin);
        const isWanted = () => this.#loading.get(handle) === attempt;
        // Where it comes too late, or was unhosted while it loaded.
        instance.then((model) => isWanted() || model.unload()).catch(() => {});
        const limitMs = loadLimitMs ?? plugin.serving.loadTimeoutMs;
        const model = await within(instance, limitMs, () => loadTimedOut(limitMs));
        if (!isWanted()) return;
        this.#models.set(handle, new HostedModel(this.#engine, model));
      } finally {
        if (this.#loading.get(handle) === attempt) this.#loading.delete(handle);
        this.#awaken();
      }
    }
    this.#engine.host(handle);
    this.#awaken();
  }

  /** Takes no more batches of a deployment and unloads its model, when its streams have ended. */
  async unhost(handle: number): Promise<void> {
    this.#engine.unhost(handle);
    this.#loading.delete(handle);
    const model = this.#models.get(handle);
    this.#models.delete(handle);
    if (!model) return;
    const streams = [...this.#streams.values()].filter((stream) => stream.model === model);
    const patience = new Promise((resolve) => setTimeout(resolve, streamEndMs).unref());
    await Promise.race([Promise.all(streams.map((stream) => stream.ended)), patience]);
    await model.unload();
  }

  /** Ends `run()`, which waits for the code of stopped streams. */
  stop(): void {
    this.#stopped = true;
    this.#stopBy = performance.now() + streamEndMs;
    this.#awaken();
  }

  /** Runs until `stop()`. */
  async run(): Promise<void> {
    let turnedAt = performance.now();
    const turn = async () => {
      await nextTurn();
      turnedAt = performance.now();
    };
    // What was registered before must have reached the event loop's descriptor before a native sleep.
    await turn();
    while (!this.#stopped) {
      const hasCode = this.#models.size > 0 || this.#loading.size > 0 || this.#running > 0;
      this.#hasWork = false;
      const step = this.#engine.next(!hasCode);
      if (step === NextStep.turn) {
        await turn();
      } else if (step === NextStep.idle) {
        await this.#idle();
        turnedAt = performance.now();
      } else if (step === NextStep.notices) {
        this.#onNotices();
        await turn();
      } else {
        const waits = this.#runBatch(step as NativeBatch);
        if (waits || performance.now() - turnedAt > turnEveryMs) await turn();
      }
    }
    while (this.#streams.size > 0 && performance.now() < this.#stopBy) {
      this.#onNotices();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
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
    const pending = model.run(batch);
    if (!pending) return false;
    this.#engine.leave();
    this.#running++;
    pending.finally(() => {
      this.#running--;
      this.#awaken();
    });
    return true;
  }

  #onNotices(): void {
    const notices = this.#engine.takeNotices();
    for (let at = 0; at < notices.length; at += 3) {
      const stream = notices[at]!;
      const notice = notices[at + 2]!;
      if (notice & Notice.opened) this.#openStream(stream, notices[at + 1]!, notice);
      else this.#streams.get(stream)?.hosted.onNotice(notice);
    }
  }

  #openStream(stream: number, handle: number, notice: number): void {
    const model = this.#models.get(handle);
    if (!model) {
      // Unhosted meanwhile.
      const detail = 'The deployment was removed before the stream could begin.';
      this.#engine.failStream(stream, 'deployment_unavailable', detail, '', 0, 0);
      return;
    }
    const hosted = model.openStream(stream, (notice & Notice.binary) !== 0);
    const ended = hosted.run().finally(() => this.#streams.delete(stream));
    this.#streams.set(stream, { model, hosted, ended });
  }

  #idle(): Promise<void> | undefined {
    if (this.#hasWork || this.#stopped) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #awaken(): void {
    this.#hasWork = true;
    this.#wake?.();
    this.#wake = undefined;
  }
}
