/** Deployments as the engine knows them: queues of requests and how they are batched. */
import { BatchLimit } from '../generated/constants.js';
import { addon } from './addon.js';
import type { InspectedModel } from './inspectedModel.js';

/** A deployment's limits; `docs/pluginGuide.md` explains each. */
export interface BatchLimits {
  /** Rows, not requests; 0 for one request a run. */
  maxBatchSize: number;
  maxQueueDelayUs: number;
  /** Requests that may wait. */
  maxQueueSize: number;
  /**
   * From a request's arrival to its answer, in milliseconds; of a stream, how long its plugin may take for
   * a step.
   */
  timeoutMs: number;
  /** Streams that may be open; 0 for a model that has none. */
  maxStreams: number;
}

export interface BatchQueueOptions {
  /** The owner's number; only requests that carry it are taken. */
  owner: number;
  limits: BatchLimits;
  /** A model that the engine runs by itself. */
  model?: InspectedModel;
}

function orderedLimits(limits: BatchLimits): number[] {
  const ordered: number[] = [];
  for (const [name, place] of Object.entries(BatchLimit)) {
    ordered[place] = limits[name as keyof typeof BatchLimit];
  }
  return ordered;
}

/** One deployment's queue in the engine. Requests reach it through an {@link Endpoint}. */
export class BatchQueue {
  /** The number by which the engine knows the deployment. */
  readonly handle: number;

  constructor({ owner, limits, model }: BatchQueueOptions) {
    this.handle = addon.addDeployment(owner, orderedLimits(limits), model?.handle);
  }

  /** Takes requests from now on; before, they are refused. */
  startAccepting(): void {
    addon.setAccepting(this.handle, true);
  }

  /** Refuses what comes from now on; what waits is still served. */
  stopAccepting(): void {
    addon.setAccepting(this.handle, false);
  }

  /** True when nothing waits, nothing runs and no stream is open. */
  get idle(): boolean {
    return addon.isIdle(this.handle);
  }

  /** Removes the deployment, and fails its waiting requests. */
  remove(): void {
    addon.removeDeployment(this.handle);
  }
}

/**
 * @returns the ids of workers whose batches, streams' steps and plugin code, if any, should all have ended
 *   `graceMs` ago
 */
export function overdueWorkers(graceMs: number): number[] {
  return addon.overdueWorkers(graceMs);
}
