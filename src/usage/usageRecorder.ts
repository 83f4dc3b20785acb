import type { Logger } from 'pino';
import { CloudEasyMLError } from '../errors.js';
import type { UsageDelta, UsageStore, UsageTotals } from '../store/usageStore.js';

const flushIntervalMs = 1000;
const dayMs = 86_400_000;

/**
 * What one user has used of one deployment since the last flush. Whoever answers requests adds to
 * its numbers directly; the recorder sets them back to 0 as it stores them.
 */
export interface UsageCounter extends UsageTotals {}

interface Entry {
  userId: string;
  deploymentId: string;
  modelName: string;
  counter: UsageCounter;
}

/** What `GET /usage` answers with. */
export interface UsageReport {
  userId: string;
  totalCost: number;
  totalRequests: number;
  totalProcessingTimeMs: number;
  byModel: Record<string, UsageTotals>;
  /** First and last day, both included, `YYYY-MM-DD` in UTC. */
  period: { startDate: string; endDate: string };
}

/** Sums usage up in memory and stores it each second, by user, day (UTC), model and deployment. */
export class UsageRecorder {
  readonly #store: UsageStore;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  /** What earlier days used and could not be stored when they ended. */
  #earlier: UsageDelta[] = [];
  /** The day that the counters count for. */
  #day: string;
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since 1970 */
  constructor(store: UsageStore, logger: Logger, now: () => number = Date.now) {
    this.#store = store;
    this.#logger = logger;
    this.#now = now;
    this.#day = isoDay(now());
  }

  /** The counter of a user, deployment and model: always the same object, so it may be kept. */
  counterFor(userId: string, deploymentId: string, modelName: string): UsageCounter {
    const key = JSON.stringify([userId, deploymentId, modelName]);
    let entry = this.#entries.get(key);
    if (!entry) {
      const counter = { requests: 0, rows: 0, errors: 0, processingTimeMs: 0, cost: 0 };
      entry = { userId, deploymentId, modelName, counter };
      this.#entries.set(key, entry);
    }
    return entry.counter;
  }

  /** Starts flushing each second, and when a day ends. */
  start(): void {
    const now = this.#now();
    const delay = Math.max(1, Math.min(flushIntervalMs, dayMs - (now % dayMs)));
    this.#timer = setTimeout(() => {
      this.start();
      try {
        this.flush();
      } catch {
        // It is kept for the next time; the store has logged why.
      }
    }, delay).unref();
  }

  /** Stops flushing, after a last time. */
  stop(): void {
    clearTimeout(this.#timer);
    try {
      this.flush();
    } catch (error) {
      this.#logger.error({ err: error }, 'usage is lost: it could not be stored before the end');
    }
  }

  /**
   * Stores what has been counted, on the day on which it was.
   *
   * @throws CloudEasyMLError `storage_failed`; then nothing of it is lost
   */
  flush(): void {
    const today = isoDay(this.#now());
    if (today !== this.#day) {
      this.#earlier.push(...this.#counted());
      this.#reset();
      this.#day = today;
    }
    const deltas = [...this.#earlier, ...this.#counted()];
    if (deltas.length === 0) return;
    this.#store.add(deltas);
    this.#earlier = [];
    this.#reset();
  }

  /**
   * A user's usage, up to this moment.
   *
   * @param startDate `YYYY-MM-DD`, UTC; defaults to 29 days before the end
   * @param endDate `YYYY-MM-DD`, UTC, included; defaults to today
   * @throws CloudEasyMLError `invalid_input` for a start after the end, `storage_failed`
   */
  query(userId: string, startDate?: string, endDate?: string): UsageReport {
    this.flush();
    const last = endDate ?? this.#day;
    const first = startDate ?? isoDay(Date.parse(last) - 29 * dayMs);
    if (first > last) {
      const [path, fault] =
        endDate === undefined
          ? ['startDate', `expected a day that is not after today, ${last}, but received ${first}`]
          : [
              'endDate',
              `expected a day that is not before startDate, ${first}, but received ${last}`,
            ];
      throw new CloudEasyMLError('invalid_input', `${path}: ${fault}.`, { path });
    }
    const byModel = this.#store.byModel(userId, first, last);
    const report: UsageReport = {
      userId,
      totalCost: 0,
      totalRequests: 0,
      totalProcessingTimeMs: 0,
      byModel: Object.fromEntries(byModel),
      period: { startDate: first, endDate: last },
    };
    for (const totals of byModel.values()) {
      report.totalCost += totals.cost;
      report.totalRequests += totals.requests;
      report.totalProcessingTimeMs += totals.processingTimeMs;
      totals.cost = withoutNoise(totals.cost);
      totals.processingTimeMs = withoutNoise(totals.processingTimeMs);
    }
    report.totalCost = withoutNoise(report.totalCost);
    report.totalProcessingTimeMs = withoutNoise(report.totalProcessingTimeMs);
    return report;
  }

  #counted(): UsageDelta[] {
    return [...this.#entries.values()]
      .filter(({ counter }) => counter.requests > 0 || counter.errors > 0 || counter.rows > 0)
      .map(({ counter, ...names }) => ({ ...names, ...counter, day: this.#day }));
  }

  #reset(): void {
    for (const { counter } of this.#entries.values()) {
      counter.requests = 0;
      counter.rows = 0;
      counter.errors = 0;
      counter.processingTimeMs = 0;
      counter.cost = 0;
    }
  }
}

/** Sums of decimal fractions are a little off in binary. */
function withoutNoise(sum: number): number {
  return Number(sum.toPrecision(12));
}

function isoDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
