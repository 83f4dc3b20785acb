import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import { overdueWorkers } from '../engine/batchQueue.js';
import { LoadingThreads } from './loadingThreads.js';
import type { Hosting, PluginLog } from './messages.js';
import { settledWithin } from './within.js';
import { WorkerSlot } from './workerSlot.js';

/** How long a worker's event loop may stand still that has nothing to do within its time. */
const stallGraceMs = 2_000;
const stallCheckMs = 500;
/** A worker waits this long for a plugin to load, or longer where its first load took long. */
const leastLoadLimitMs = 10_000;
const loadLimitFactor = 4;
/** Longer than this, a deployment does not wait for a worker that is busy with something else. */
const patienceMs = 5_000;

/** In how many workers a deployment is. */
export interface HostingStatus {
  workers: number;
  hosted: number;
  /** Workers that will host it without more ado. */
  loading: number;
  /** Why one of the others does not, or not yet. */
  reason?: string;
  error?: Error;
}

/** The worker threads. Each hosts every deployment and runs one batch loop over them. */
export class WorkerPool {
  readonly #pool: Piscina;
  readonly #loadingThreads: LoadingThreads;
  readonly #slots: WorkerSlot[];
  readonly #stallCheck: NodeJS.Timeout;
  /** Called when a worker hosts a deployment, or no longer does. */
  onHosting: (handle: number) => void = () => {};
  /** Called with what plugins write to the log. */
  onLog: (line: PluginLog) => void = () => {};

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
    this.#loadingThreads = new LoadingThreads(logger);
    const onHosting = (handle: number) => this.onHosting(handle);
    const onLog = (line: PluginLog) => this.onLog(line);
    this.#slots = Array.from(
      { length: size },
      () => new WorkerSlot(this.#pool, logger, onHosting, onLog),
    );
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
   * Has every worker load a deployment. A plugin with code first loads in a thread of its own. What went
   * wrong there never reaches a worker. Resolves once workers host it.
   *
   * @param signal ends the attempt at once
   * @throws CloudEasyMLError with the plugin's reason; then no worker hosts it
   */
  async host({ handle, plugin }: Hosting, signal: AbortSignal): Promise<void> {
    if (!plugin) return this.#hostInEach({ handle }, signal);
    // It is kept until the workers have theirs, so that they share its sessions.
    const loaded = await this.#loadingThreads.load(plugin, signal);
    try {
      const limitMs = Math.max(leastLoadLimitMs, loaded.elapsedMs * loadLimitFactor);
      const loadLimitMs = Math.min(limitMs, plugin.serving.loadTimeoutMs);
      await this.#hostInEach({ handle, plugin, loadLimitMs }, signal);
    } finally {
      loaded.release();
    }
  }

  async unhost(handle: number): Promise<void> {
    await Promise.all(this.#slots.map(({ hostings }) => hostings.unhost(handle)));
  }

  statusOf(handle: number): HostingStatus {
    const status: HostingStatus = { workers: this.#slots.length, hosted: 0, loading: 0 };
    for (const { hostings } of this.#slots) {
      const state = hostings.stateOf(handle);
      if (state?.is === 'hosted') status.hosted++;
      else if (state?.is === 'loading') {
        status.loading++;
        status.reason ??= state.reason;
      } else if (state) {
        status.error ??= state.error;
      }
    }
    return status;
  }

  async close(): Promise<void> {
    clearInterval(this.#stallCheck);
    const closing = Promise.all([
      this.#loadingThreads.close(),
      ...this.#slots.map((slot) => slot.close()),
    ]);
    // A worker that is stuck in a plugin's code does not get the message to stop.
    const patience = new Promise((resolve) => setTimeout(resolve, stallGraceMs).unref());
    await Promise.race([closing, patience]);
    await this.#pool.destroy();
  }

  /** One after the other, so that a plugin never occupies several workers while it loads. */
  async #hostInEach(hosting: Hosting, signal: AbortSignal): Promise<void> {
    let failure: unknown;
    try {
      for (const { hostings } of this.#slots) {
        const attempt = hostings.host(hosting).catch((error) => {
          failure ??= error;
        });
        await settledWithin(attempt, patienceMs + (hosting.loadLimitMs ?? 0), signal);
        if (signal.aborted) break;
      }
      signal.throwIfAborted();
      if (failure && this.statusOf(hosting.handle).hosted === 0) throw failure;
    } catch (error) {
      await this.unhost(hosting.handle);
      throw error;
    }
  }

  #replaceStalled(): void {
    const silent = this.#slots.filter((slot) => slot.ping() > stallGraceMs);
    if (silent.length === 0) return;
    const overdue = overdueWorkers(stallGraceMs);
    for (const slot of silent) {
      if (slot.hostings.isLoading || !overdue.includes(slot.workerId!)) continue;
      slot.replace('its plugin’s code did not come back in time');
    }
  }
}
