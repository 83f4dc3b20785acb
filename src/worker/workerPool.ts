import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import { retireStalled } from '../engine/batchQueue.js';
import type { Hosting } from './messages.js';
import { WorkerSlot } from './workerSlot.js';

/** How long a worker may keep a batch after all its requests have passed their deadlines. */
const stallGraceMs = 2_000;
const stallCheckMs = 500;
const loadTimeoutMs = 300_000;

/** The worker threads. Each hosts every deployment and runs one batch loop over them. */
export class WorkerPool {
  readonly #pool: Piscina;
  readonly #slots: WorkerSlot[];
  readonly #stallCheck: NodeJS.Timeout;

  constructor(size: number, logger: Logger) {
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./workerMain.js', import.meta.url)),
      minThreads: size,
      maxThreads: size,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With it a thread would block its event loop between tasks.
      atomics: 'disabled',
    });
    this.#pool.on('error', (error) => logger.error({ err: error }, 'a worker thread failed'));
    this.#slots = Array.from({ length: size }, () => new WorkerSlot(this.#pool, logger));
    this.#stallCheck = setInterval(() => this.#replaceStalled(), stallCheckMs);
    this.#stallCheck.unref();
  }

  get size(): number {
    return this.#slots.length;
  }

  /** Resolves when every worker has begun its batch loop. */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.ready));
  }

  /**
   * Has every worker load a deployment.
   *
   * @throws CloudEasyMLError with the first worker's reason; then no worker hosts it
   */
  async host(hosting: Hosting): Promise<void> {
    const results = await Promise.allSettled(
      this.#slots.map((slot) => slot.host(hosting, loadTimeoutMs)),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (!failure) return;
    await this.unhost(hosting.handle);
    throw failure.reason;
  }

  async unhost(handle: number): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.unhost(handle)));
  }

  async close(): Promise<void> {
    clearInterval(this.#stallCheck);
    const closing = Promise.all(this.#slots.map((slot) => slot.close()));
    // A worker that is stuck in a plugin's code does not get the message to stop.
    const patience = new Promise((resolve) => setTimeout(resolve, stallGraceMs).unref());
    await Promise.race([closing, patience]);
    await this.#pool.destroy();
  }

  #replaceStalled(): void {
    for (const id of retireStalled(stallGraceMs)) {
      this.#slots
        .find((slot) => slot.workerId === id)
        ?.replace('its plugin’s code did not come back in time');
    }
  }
}
