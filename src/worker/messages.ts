/** Messages between the pool and its workers. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../errors.js';
import type { ServingConfig } from '../plugin/servingConfig.js';

/** A plugin with code, as a worker needs it to serve a deployment. */
export interface HostedPlugin {
  name: string;
  directory: string;
  entry: string;
  config: Record<string, unknown>;
  serving: ServingConfig;
}

/** A deployment for workers to host. Without `plugin` the engine runs its model by itself. */
export interface Hosting {
  /** The deployment's handle in the engine. */
  handle: number;
  plugin?: HostedPlugin;
}

/** What a worker thread's task is started with. */
export interface WorkerTask {
  port: MessagePort;
}

export type ToWorker =
  | { type: 'host'; hosting: Hosting }
  | { type: 'unhost'; handle: number }
  | { type: 'stop' };

export interface LoadFailure {
  type: 'failed';
  handle: number;
  code: ErrorCode;
  message: string;
  path?: string;
}

export type FromWorker =
  | { type: 'ready'; workerId: number; threadId: number }
  | { type: 'hosted'; handle: number }
  | LoadFailure
  | { type: 'unhosted'; handle: number };
