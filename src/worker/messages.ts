/** Messages between the main thread and the threads that run plugins. */
import type { MessagePort } from 'node:worker_threads';
import type { ServingConfig } from '../plugin/servingConfig.js';
import type { LoadFailure } from './loadFailure.js';

/** A plugin with code, as a thread needs it to serve a deployment. */
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
  /** How long a worker waits for the plugin to load. */
  loadLimitMs?: number;
}

/** What a worker thread's task is started with. */
export interface WorkerTask {
  port: MessagePort;
}

export type ToWorker =
  | { type: 'host'; hosting: Hosting }
  | { type: 'unhost'; handle: number }
  /** Its event loop turns where it answers. */
  | { type: 'ping' }
  | { type: 'stop' };

export type FromWorker =
  | { type: 'ready'; workerId: number; threadId: number }
  | { type: 'pong' }
  | { type: 'hosted'; handle: number }
  | { type: 'failed'; handle: number; failure: LoadFailure }
  /** The worker hosts it no longer: its instance can't go on. */
  | { type: 'lost'; handle: number; reason: string }
  | { type: 'unhosted'; handle: number }
  | PluginLog;

/** A line for the server's log. */
export interface PluginLog {
  type: 'log';
  handle: number;
  level: 'info' | 'warn' | 'error';
  text: string;
  details?: Record<string, unknown>;
  /** What it is about. */
  error?: { name: string; message: string; stack?: string };
}

/** What a loading thread's task is started with. */
export interface LoadingTask {
  port: MessagePort;
  plugin: HostedPlugin;
}

/** The only message to a loading thread: its instance is not needed any more. */
export type ToLoadingThread = 'release';

export type FromLoadingThread =
  | { type: 'started'; threadId: number }
  | { type: 'loaded'; elapsedMs: number }
  | { type: 'failed'; failure: LoadFailure };
