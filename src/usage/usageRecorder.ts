import type { Logger } from 'pino';
import type { UsageDelta, UsageStore, UsageTotals } from '../store/usageStore.js';

const flushIntervalMs = 1000;

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
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since 1970 */
  constructor(store: UsageStore, logger: Logger, now: () => number = Date.now) {
    this.#store = store;
    this.#logger = logger;
    this.#now = now;
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

  /** Starts flushing each second. */
  start(): void {
    this.#timer ??= setInterval(() => {
      try {
        this.flush();
      } catch (error) {
        this.#logger.error(error, 'usage could not be stored; it is kept for the next try');
      }
    }, flushIntervalMs).unref();
  }

  /** Stops flushing, after a last time. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.flush();
  }

  /** Stores what has been counted. Where that fails, nothing of it is lost. */
  flush(): void {
    const used = [...this.#entries.values()].filter(
      ({ counter }) => counter.requests > 0 || counter.errors > 0 || counter.rows > 0,
    );
    if (used.length === 0) return;
    const deltas: UsageDelta[] = used.map(({ counter, ...names }) => ({ ...names, ...counter }));
    this.#store.add(this.#today(), deltas);
    for (const { counter } of used) {
      counter.requests = 0;
      counter.rows = 0;
      counter.errors = 0;
      counter.processingTimeMs = 0;
      counter.cost = 0;
    }
  }

  /**
   * A user's usage, up to this moment.
   *
   * @param startDate `YYYY-MM-DD`, UTC; defaults to 29 days before the end
   * @param endDate `YYYY-MM-DD`, UTC, included; defaults to today
   */
  query(userId: string, startDate?: string, endDate?: string): UsageReport {
    this.flush();
    const last = endDate ?? this.#today();
    const first = startDate ?? isoDay(Date.parse(last) - 29 * 86_400_000);
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

  #today(): string {
    return isoDay(this.#now());
  }
}

/** Sums of decimal fractions are a little off in binary. */
function withoutNoise(sum: number): number {
  return Number(sum.toPrecision(12));
}

function isoDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
