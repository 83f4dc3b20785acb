import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Piscina } from 'piscina';
import { stopRuns } from '../engine/runtime.js';
import type { FromWorker, PluginLog, ToWorker, WorkerTask } from './messages.js';
import { SlotHostings } from './slotHostings.js';

const firstBackOffMs = 50;
const longestBackOffMs = 5_000;

/**
 * One worker thread of the pool. Where the thread ends unasked, the slot starts another, which loads the
 * same deployments.
 */
export class WorkerSlot {
  readonly #pool: Piscina;
  readonly #logger: Logger;
  readonly hostings: SlotHostings;
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
  /** When the worker was first asked for a sign that it has not given. */
  #askedAt: number | undefined;
  readonly #onLog: (line: PluginLog) => void;

  /**
   * @param onHosting called when the worker hosts a deployment, or no longer does
   * @param onLog called with what plugins write to the log
   */
  constructor(
    pool: Piscina,
    logger: Logger,
    onHosting: (handle: number) => void,
    onLog: (line: PluginLog) => void,
  ) {
    this.#pool = pool;
    this.#logger = logger;
    this.#onLog = onLog;
    this.hostings = new SlotHostings((message) => this.#tell(message), onHosting);
    this.#ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    this.#ended = this.#occupy();
  }

  /** Resolves when the first worker has begun its batch loop. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Asks the worker for a sign. @returns how long it has been asked for one */
  ping(): number {
    // One that has just started may take its time.
    if (this.workerId === undefined) return 0;
    const now = performance.now();
    if (this.#askedAt === undefined) {
      this.#askedAt = now;
      this.#tell({ type: 'ping' });
    }
    return now - this.#askedAt;
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
    this.hostings.close();
    this.#tell({ type: 'stop' });
    await this.#ended;
  }

  #tell(message: ToWorker): void {
    this.#port?.postMessage(message);
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
      this.hostings.onWorker();
      const error = await running.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      port1.close();
      this.#port = undefined;
      this.workerId = undefined;
      this.#threadId = undefined;
      this.#askedAt = undefined;
      if (this.#closing) break;
      this.#logger.error({ err: error }, 'a worker was lost; its requests in flight were answered');
      this.hostings.onWorkerLost(error);
      if (performance.now() - startedAt > longestBackOffMs) this.#backOffMs = firstBackOffMs;
      await new Promise((resolve) => setTimeout(resolve, this.#backOffMs));
      this.#backOffMs = Math.min(this.#backOffMs * 2, longestBackOffMs);
    }
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.workerId = message.workerId;
        this.#threadId = message.threadId;
        this.#onReady();
        break;
      case 'pong':
        this.#askedAt = undefined;
        break;
      case 'log':
        this.#onLog(message);
        break;
      default:
        this.hostings.onMessage(message);
    }
  }
}
