import type { Batching } from '../engine/batching.js';
import type { BatchQueue } from '../engine/batchQueue.js';
import type { Endpoint } from '../engine/endpoint.js';
import type { DeploymentRecord } from '../store/deploymentStore.js';
import type { UsageCounter } from '../usage/usageRecorder.js';
import type { DeploymentStatus, DeploymentView } from './deploymentView.js';

/** A model that a user has deployed. */
export class Deployment {
  readonly record: DeploymentRecord;
  /** Its user's number in the engine. */
  readonly owner: number;
  #status: DeploymentStatus = 'loading';
  #reason: string | undefined;
  /** Aborted where it is removed while it loads. */
  readonly loading = new AbortController();
  /** Resolves when it is gone; undefined while it is not being removed. */
  removal: Promise<void> | undefined;
  /** Its plugin's folder, by which paths in reasons are named. */
  directory: string | undefined;
  /** Open from its first load on. */
  queue: BatchQueue | undefined;
  /** What its requests name. */
  endpoint: Endpoint | undefined;
  /** How its model is batched, where it has no code. */
  batching: Batching | undefined;
  costPerRequest = 0;
  /** Usage by the caller's number: an admin may call another user's deployment. */
  readonly counters: (UsageCounter | undefined)[] = [];

  constructor(record: DeploymentRecord, owner: number) {
    this.record = record;
    this.owner = owner;
  }

  get deploymentId(): string {
    return this.record.deploymentId;
  }

  get userId(): string {
    return this.record.userId;
  }

  get status(): DeploymentStatus {
    return this.#status;
  }

  /** Why it is not active. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Why it failed. */
  get error(): string | undefined {
    return this.#status === 'failed' ? this.#reason : undefined;
  }

  /** Takes its requests where it can serve them. @returns false where that was its status already */
  become(status: DeploymentStatus, reason?: string): boolean {
    if (this.#status === status && this.#reason === reason) return false;
    this.#status = status;
    this.#reason = reason;
    if (status === 'active' || status === 'degraded') this.queue?.startAccepting();
    else this.queue?.stopAccepting();
    return true;
  }

  view(): DeploymentView {
    const { deploymentId, userId, modelName, modelVersion, config, createdAt } = this.record;
    return {
      deploymentId,
      userId,
      modelName,
      modelVersion,
      status: this.#status,
      config,
      endpoint: `/predict/${deploymentId}`,
      createdAt: new Date(createdAt).toISOString(),
      ...(this.batching && { batching: this.batching }),
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(this.error !== undefined && { error: this.error }),
    };
  }
}
