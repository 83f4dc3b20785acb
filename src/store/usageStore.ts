import type { Store } from './store.js';

/** What was used: counts, milliseconds, and cost in the currency of the plugins' estimates. */
export interface UsageTotals {
  requests: number;
  rows: number;
  errors: number;
  processingTimeMs: number;
  cost: number;
}

/** Totals to add to one day's row. */
export interface UsageDelta extends UsageTotals {
  userId: string;
  /** `YYYY-MM-DD`, UTC. */
  day: string;
  deploymentId: string;
  modelName: string;
}

/** The table of usage: one row per user, day (UTC), model and deployment. */
export class UsageStore {
  readonly #store: Store;
  readonly #add;

  constructor(store: Store) {
    this.#store = store;
    this.#add = store.database.prepare(
      `INSERT INTO usage
       VALUES (:userId, :day, :modelName, :deploymentId,
               :requests, :rows, :errors, :processingTimeMs, :cost)
       ON CONFLICT DO UPDATE SET
         requests = requests + excluded.requests,
         rowCount = rowCount + excluded.rowCount,
         errors = errors + excluded.errors,
         processingTimeMs = processingTimeMs + excluded.processingTimeMs,
         cost = cost + excluded.cost`,
    );
  }

  /**
   * Adds all deltas in one transaction: all of them, or none.
   *
   * @throws CloudEasyMLError `storage_failed`
   */
  add(deltas: readonly UsageDelta[]): void {
    const add = () => {
      for (const delta of deltas) this.#add.run(delta);
    };
    this.#store.write('What was used last is not stored yet.', add, false);
  }

  /** A user's totals by model, first and last day included. */
  byModel(userId: string, firstDay: string, lastDay: string): Map<string, UsageTotals> {
    const rows = this.#store.database
      .prepare(
        `SELECT modelName, sum(requests) AS requests, sum(rowCount) AS rows, sum(errors) AS errors,
                sum(processingTimeMs) AS processingTimeMs, sum(cost) AS cost
         FROM usage WHERE userId = ? AND day BETWEEN ? AND ? GROUP BY modelName ORDER BY modelName`,
      )
      .all(userId, firstDay, lastDay) as (UsageTotals & { modelName: string })[];
    return new Map(
      rows.map(({ modelName, requests, rows: rowCount, errors, processingTimeMs, cost }) => [
        modelName,
        { requests, rows: rowCount, errors, processingTimeMs, cost },
      ]),
    );
  }
}
