import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type BatchWorker,
  createBatchWorker,
  type NativeBatch,
  NextStep,
} from '../engine/batchWorker.js';
import { HostedModel } from './hostedModel.js';
import type { Hosting } from './messages.js';

/** Synchronous plugins may keep the event loop from turning for this long. */
const turnEveryMs = 2;

/**
 * One worker's loop over all deployments that it hosts: takes the next batch, runs it, completes its
 * requests.
 *
 * While it hosts no plugin with code it sleeps in native code, which wakes fastest. Else it waits in the
 * event loop, so that the plugins' timers, promises and sockets go on.
 */
export class BatchLoop {
  readonly #engine: BatchWorker;
  readonly #models = new Map<number, HostedModel>();
  readonly #loading = new Set<number>();
  #running = 0;
  #stopped = false;
  #hasWork = false;
  #wake: (() => void) | undefined;

  constructor() {
    this.#engine = createBatchWorker(() => this.#awaken());
  }

  get workerId(): number {
    return this.#engine.id;
  }

  /** Loads a deployment's model and takes its batches from then on. */
  async host({ handle, plugin }: Hosting): Promise<void> {
    if (plugin) {
      this.#loading.add(handle);
      try {
        const model = await HostedModel.load(this.#engine, plugin);
        if (!this.#loading.has(handle)) {
          // Unhosted while it loaded.
          await model.unload();
          return;
        }
        this.#models.set(handle, model);
      } finally {
        this.#loading.delete(handle);
        this.#awaken();
      }
    }
    this.#engine.host(handle);
    this.#awaken();
  }

  /** Takes no more batches of a deployment and unloads its model. */
  async unhost(handle: number): Promise<void> {
    this.#engine.unhost(handle);
    this.#loading.delete(handle);
    const model = this.#models.get(handle);
    this.#models.delete(handle);
    await model?.unload();
  }

  stop(): void {
    this.#stopped = true;
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
      } else {
        const waits = this.#runBatch(step as NativeBatch);
        if (waits || performance.now() - turnedAt > turnEveryMs) await turn();
      }
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
    this.#running++;
    pending.finally(() => {
      this.#running--;
      this.#awaken();
    });
    return true;
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
