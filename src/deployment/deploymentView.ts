import type { Batching } from '../engine/batching.js';

/**
 * `degraded`: not every worker has it; it serves. `failed`: no worker can serve it. `draining`: it is being
 * removed, and answers what it has accepted.
 */
export type DeploymentStatus = 'loading' | 'active' | 'degraded' | 'failed' | 'draining';

/** A deployment as its user sees it. */
export interface DeploymentView {
  deploymentId: string;
  userId: string;
  modelName: string;
  modelVersion: string;
  status: DeploymentStatus;
  config: Record<string, unknown>;
  /** The path that predictions are sent to. */
  endpoint: string;
  /** ISO 8601. */
  createdAt: string;
  /** How a model without code is batched, once it is loaded. */
  batching?: Batching;
  /** Why it is not active. */
  reason?: string;
  /** Why it failed. */
  error?: string;
}

/** A deployment that should serve and can't. */
export interface NotServing {
  deploymentId: string;
  modelName: string;
  status: DeploymentStatus;
  reason: string;
}

export interface DeploymentRequest {
  modelName: string;
  /** A version, or "latest". */
  modelVersion: string;
  /** Overrides of the plugin's config.yaml. */
  config: Record<string, unknown>;
}
