import type { Batching } from '../engine/batching.js';

export type DeploymentStatus = 'loading' | 'active' | 'failed' | 'unloading';

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
  /** Why it failed. */
  error?: string;
}

export interface DeploymentRequest {
  modelName: string;
  /** A version, or "latest". */
  modelVersion: string;
  /** Overrides of the plugin's config.yaml. */
  config: Record<string, unknown>;
}
