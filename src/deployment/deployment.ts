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
  status: DeploymentStatus = 'loading';
  /** Why it failed. */
  error: string | undefined;
  /** Open while it is active. */
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

  activate(queue: BatchQueue, costPerRequest: number): void {
    this.queue = queue;
    this.costPerRequest = costPerRequest;
    this.status = 'active';
    queue.startAccepting();
  }

  fail(reason: string): void {
    this.status = 'failed';
    this.error = reason;
  }

  view(): DeploymentView {
    const { deploymentId, userId, modelName, modelVersion, config, createdAt } = this.record;
    return {
      deploymentId,
      userId,
      modelName,
      modelVersion,
      status: this.status,
      config,
      endpoint: `/predict/${deploymentId}`,
      createdAt: new Date(createdAt).toISOString(),
      ...(this.batching && { batching: this.batching }),
      ...(this.error !== undefined && { error: this.error }),
    };
  }
}
