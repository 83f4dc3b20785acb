import type { Principal } from '../auth/principal.js';
import type { Deployment } from '../deployment/deployment.js';
import type { UsageCounter, UsageRecorder } from './usageRecorder.js';

/** Counts predictions for the users who asked for them. */
export class RequestAccounts {
  readonly #usage: UsageRecorder;

  constructor(usage: UsageRecorder) {
    this.#usage = usage;
  }

  /**
   * A request has ended.
   *
   * @param rows rows of its data; a stream's inputs
   * @param processingTimeMs its share of what its batch took
   */
  ended(
    principal: Principal,
    deployment: Deployment,
    failed: boolean,
    rows: number,
    processingTimeMs: number,
  ): void {
    const counter = this.#counterOf(principal, deployment);
    counter.requests++;
    counter.rows += rows;
    counter.processingTimeMs += processingTimeMs;
    if (failed) counter.errors++;
    else counter.cost += deployment.costPerRequest;
  }

  /** A request's client has gone, or wants it no more. */
  dropped(principal: Principal, deployment: Deployment): void {
    this.ended(principal, deployment, true, 0, 0);
  }

  #counterOf({ userId, userIndex }: Principal, deployment: Deployment): UsageCounter {
    const { counters, deploymentId, record } = deployment;
    let counter = counters[userIndex];
    if (!counter) {
      counter = this.#usage.counterFor(userId, deploymentId, record.modelName);
      counters[userIndex] = counter;
    }
    return counter;
  }
}
