import { CloudEasyMLError } from '../errors.js';
import { loadError } from './loadFailure.js';
import type { FromWorker, Hosting, ToWorker } from './messages.js';

/** What a worker says of a deployment. */
type HostingMessage = Extract<FromWorker, { type: 'hosted' | 'failed' | 'lost' | 'unhosted' }>;

const firstRetryMs = 1_000;
const longestRetryMs = 60_000;
/** An instance that the worker lost has loaded before, so it is tried again sooner. */
const longestReloadMs = 5_000;
/** How much later than its limit a load may have ended. */
const loadGraceMs = 2_000;
/** A plugin during whose load the worker was lost this often in a row is tried again later. */
const mostCrashes = 3;
const replacedReason = 'its worker is being replaced';

/** How a worker stands to a deployment. */
export type HostingState =
  | { is: 'hosted' }
  | { is: 'loading'; reason: string }
  | { is: 'failed'; error: Error };

interface Entry {
  readonly hosting: Hosting;
  state: HostingState;
  /** The worker is loading it. */
  isAsked: boolean;
  askedAt: number;
  hostedAt: number;
  failures: number;
  crashes: number;
  retry?: NodeJS.Timeout;
  /** The first attempt's outcome. */
  settle(error?: Error): void;
}

/**
 * The deployments that one slot's worker should host. A deployment that did not load, or that the worker
 * lost, is tried again after a pause.
 */
export class SlotHostings {
  readonly #tell: (message: ToWorker) => void;
  readonly #onChange: (handle: number) => void;
  readonly #entries = new Map<number, Entry>();
  readonly #unhosting = new Map<number, () => void>();
  #hasWorker = false;

  /** @param onChange called when a deployment's state has changed */
  constructor(tell: (message: ToWorker) => void, onChange: (handle: number) => void) {
    this.#tell = tell;
    this.#onChange = onChange;
  }

  /** Undefined where the worker should not host it. */
  stateOf(handle: number): HostingState | undefined {
    return this.#entries.get(handle)?.state;
  }

  /**
   * Has the worker load a deployment and take its batches.
   *
   * @throws CloudEasyMLError why the first attempt failed; it is tried again until it is unhosted
   */
  async host(hosting: Hosting): Promise<void> {
    const { promise, settle } = outcome();
    const state: HostingState = { is: 'loading', reason: 'it is loading' };
    const counts = { isAsked: false, askedAt: 0, hostedAt: 0, failures: 0, crashes: 0 };
    const entry: Entry = { hosting, state, ...counts, settle };
    this.#entries.set(hosting.handle, entry);
    this.#load(entry);
    await promise;
  }

  /** Has the worker give up a deployment. Resolves when its model is unloaded, or the worker is gone. */
  async unhost(handle: number): Promise<void> {
    const entry = this.#entries.get(handle);
    if (!entry) return;
    this.#entries.delete(handle);
    clearTimeout(entry.retry);
    entry.settle(new CloudEasyMLError('conflict', 'The deployment was removed while it loaded.'));
    // Without a worker nothing hosts it.
    if (!this.#hasWorker) return;
    await new Promise<void>((resolve) => {
      this.#unhosting.set(handle, resolve);
      this.#tell({ type: 'unhost', handle });
    });
  }

  /** Whether the worker is loading something that may still be within its time. */
  get isLoading(): boolean {
    const now = performance.now();
    return [...this.#entries.values()].some(
      ({ isAsked, askedAt, hosting }) =>
        isAsked && now < askedAt + (hosting.loadLimitMs ?? 0) + loadGraceMs,
    );
  }

  /** A new worker has taken the slot. */
  onWorker(): void {
    this.#hasWorker = true;
    for (const entry of this.#entries.values()) {
      if (!entry.retry) this.#load(entry);
    }
  }

  /** The worker is gone. */
  onWorkerLost(error: unknown): void {
    this.#hasWorker = false;
    for (const resolve of this.#unhosting.values()) resolve();
    this.#unhosting.clear();
    for (const entry of this.#entries.values()) {
      if (entry.isAsked) this.#onCrash(entry, error);
      else if (entry.state.is === 'hosted') {
        this.#change(entry, { is: 'loading', reason: replacedReason });
      }
    }
  }

  onMessage(message: HostingMessage): void {
    if (message.type === 'unhosted') {
      this.#unhosting.get(message.handle)?.();
      this.#unhosting.delete(message.handle);
      return;
    }
    const entry = this.#entries.get(message.handle);
    if (!entry) return;
    entry.isAsked = false;
    if (message.type === 'hosted') {
      entry.hostedAt = performance.now();
      entry.crashes = 0;
      this.#change(entry, { is: 'hosted' });
      entry.settle();
    } else if (message.type === 'lost') {
      this.#change(entry, { is: 'loading', reason: message.reason });
      this.#retryAfterLoss(entry);
    } else {
      const error = loadError(message.failure);
      this.#change(entry, { is: 'failed', error });
      entry.settle(error);
      this.#retryAfter(entry, Math.min(firstRetryMs * 2 ** entry.failures, longestRetryMs));
    }
  }

  close(): void {
    for (const { retry } of this.#entries.values()) clearTimeout(retry);
  }

  /**
   * It was loading when the worker was lost, so it may be what took the worker down. It may as well have been
   * something else.
   */
  #onCrash(entry: Entry, reason: unknown): void {
    entry.isAsked = false;
    // A model without code can't.
    if (!entry.hosting.plugin) return;
    entry.crashes++;
    if (entry.crashes < mostCrashes) {
      this.#change(entry, { is: 'loading', reason: replacedReason });
      return;
    }
    const why = reason instanceof Error ? `: ${reason.message}` : '';
    const error = new CloudEasyMLError(
      'model_load_failed',
      `The worker stopped again and again while the plugin loaded${why}.`,
    );
    this.#change(entry, { is: 'failed', error });
    entry.settle(error);
    this.#retryAfter(entry, longestRetryMs);
  }

  /** At once, but after pauses that get longer where it is lost again and again. */
  #retryAfterLoss(entry: Entry): void {
    if (performance.now() - entry.hostedAt > longestRetryMs) entry.failures = 0;
    const pause = entry.failures === 0 ? 0 : firstRetryMs * 2 ** (entry.failures - 1);
    this.#retryAfter(entry, Math.min(pause, longestReloadMs));
  }

  #retryAfter(entry: Entry, pauseMs: number): void {
    entry.failures++;
    entry.retry = setTimeout(() => {
      entry.retry = undefined;
      this.#load(entry);
    }, pauseMs);
    entry.retry.unref();
  }

  #load(entry: Entry): void {
    // Else the next worker is told.
    if (!this.#hasWorker) return;
    entry.isAsked = true;
    entry.askedAt = performance.now();
    this.#tell({ type: 'host', hosting: entry.hosting });
  }

  #change(entry: Entry, state: HostingState): void {
    entry.state = state;
    this.#onChange(entry.hosting.handle);
  }
}

function outcome(): { promise: Promise<void>; settle(error?: Error): void } {
  let settle: (error?: Error) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  // It may be settled while nobody waits any more.
  promise.catch(() => {});
  return { promise, settle };
}
