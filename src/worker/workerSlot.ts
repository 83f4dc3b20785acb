import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Piscina } from 'piscina';
import { stopRuns } from '../engine/runtime.js';
import { CloudEasyMLError } from '../errors.js';
import type { FromWorker, Hosting, ToWorker, WorkerTask } from './messages.js';

const firstBackOffMs = 50;
const longestBackOffMs = 5_000;

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * One worker thread of the pool. Where the thread ends unasked, the slot starts another, which loads the
 * same deployments.
 */
export class WorkerSlot {
  readonly #pool: Piscina;
  readonly #logger: Logger;
  /** The deployments that the slot's worker should host, by handle. */
  readonly #hostings = new Map<number, Hosting>();
  readonly #waiters = new Map<string, Waiter>();
  #port: MessagePort | undefined;
  #kill = new AbortController();
  #closing = false;
  #backOffMs = firstBackOffMs;
  #ended: Promise<void>;
  #ready: Promise<void>;
  #onReady: () => void = () => {};
  /** The engine's id of the current worker. */
  workerId: number | undefined;
  #threadId: number | undefined;

  constructor(pool: Piscina, logger: Logger) {
    this.#pool = pool;
    this.#logger = logger;
    this.#ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    this.#ended = this.#occupy();
  }

  /** Resolves when the first worker has begun its batch loop. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /**
   * Has the worker load a deployment and take its batches.
   *
   * @throws CloudEasyMLError model_load_failed with the plugin's reason, or after `timeoutMs`; the slot
   *   forgets the deployment then
   */
  async host(hosting: Hosting, timeoutMs: number): Promise<void> {
    const { handle } = hosting;
    this.#hostings.set(handle, hosting);
    const timer = setTimeout(() => {
      this.#settle('host', handle, loadTimedOut(timeoutMs));
      this.#hostings.delete(handle);
      this.replace('its plugin did not finish loading in time');
    }, timeoutMs);
    try {
      await this.#ask('host', handle, { type: 'host', hosting });
    } catch (error) {
      this.#hostings.delete(handle);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Has the worker give up a deployment. Resolves when its model is unloaded, or the worker is gone. */
  async unhost(handle: number): Promise<void> {
    if (!this.#hostings.delete(handle)) return;
    // Without a worker nothing hosts it.
    if (!this.#port) return;
    await this.#ask('unhost', handle, { type: 'unhost', handle });
  }

  /** Kills the worker; another takes its place. */
  replace(reason: string): void {
    this.#logger.warn({ workerId: this.workerId, reason }, 'a worker is being replaced');
    // Terminating a thread waits for the model that it runs.
    if (this.#threadId !== undefined) stopRuns(this.#threadId);
    this.#kill.abort();
  }

  /** Stops the worker for good. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#tell({ type: 'stop' });
    await this.#ended;
  }

  #tell(message: ToWorker): void {
    this.#port?.postMessage(message);
  }

  #ask(kind: 'host' | 'unhost', handle: number, message: ToWorker): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.set(`${kind} ${handle}`, { resolve, reject });
      this.#tell(message);
    });
  }

  #settle(kind: 'host' | 'unhost', handle: number, error?: Error): void {
    const key = `${kind} ${handle}`;
    const waiter = this.#waiters.get(key);
    this.#waiters.delete(key);
    if (error) waiter?.reject(error);
    else waiter?.resolve();
  }

  /** Keeps a worker on the slot until the slot is closed. */
  async #occupy(): Promise<void> {
    while (!this.#closing) {
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      this.#kill = new AbortController();
      port1.on('message', (message: FromWorker) => this.#onMessage(message));
      const task: WorkerTask = { port: port2 };
      const startedAt = performance.now();
      const running = this.#pool.run(task, { transferList: [port2], signal: this.#kill.signal });
      for (const hosting of this.#hostings.values()) this.#tell({ type: 'host', hosting });
      const error = await running.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      port1.close();
      this.#port = undefined;
      this.workerId = undefined;
      this.#threadId = undefined;
      if (this.#closing) break;
      this.#afterLoss(error);
      if (performance.now() - startedAt > longestBackOffMs) this.#backOffMs = firstBackOffMs;
      await new Promise((resolve) => setTimeout(resolve, this.#backOffMs));
      this.#backOffMs = Math.min(this.#backOffMs * 2, longestBackOffMs);
    }
  }

  #afterLoss(error: unknown): void {
    this.#logger.error({ err: error }, 'a worker was lost; its requests in flight were answered');
    for (const [key, waiter] of this.#waiters) {
      const [kind, handle] = key.split(' ');
      this.#waiters.delete(key);
      if (kind === 'unhost') {
        waiter.resolve();
        continue;
      }
      // A plugin that takes its worker down while it loads would do so again and again.
      this.#hostings.delete(Number(handle));
      waiter.reject(
        new CloudEasyMLError(
          'model_load_failed',
          `The worker stopped while the plugin loaded: ${error instanceof Error ? error.message : error}.`,
        ),
      );
    }
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.workerId = message.workerId;
        this.#threadId = message.threadId;
        this.#onReady();
        break;
      case 'hosted':
        this.#settle('host', message.handle);
        break;
      case 'failed': {
        const { handle, code, message: text, path } = message;
        if (!this.#waiters.has(`host ${handle}`)) {
          this.#logger.error({ reason: text }, 'a deployment did not load again on a new worker');
        }
        this.#settle('host', handle, new CloudEasyMLError(code, text, { path }));
        break;
      }
      case 'unhosted':
        this.#settle('unhost', message.handle);
    }
  }
}

function loadTimedOut(timeoutMs: number): CloudEasyMLError {
  return new CloudEasyMLError(
    'model_load_failed',
    `The plugin did not finish loading within ${timeoutMs / 1000} s.`,
  );
}
