/** A worker thread's side of the engine. */
import { addon } from './addon.js';

/** What `next()` answers when it has no batch. The numbers are the addon's. */
export const NextStep = {
  /** Nothing waits; `onWork` will be called. */
  idle: 0,
  /** The event loop has something to do first. */
  turn: 1,
} as const;

/** Requests of one deployment for its plugin's code: [batch id, deployment handle, ...JSON bodies]. */
export type NativeBatch = [batchId: number, handle: number, ...bodies: string[]];

/** The addon's functions for a worker thread. */
export interface BatchWorker {
  readonly id: number;
  /**
   * Runs models without code until a plugin's batch comes, the event loop must turn, or nothing waits.
   *
   * @param block sleep in native code while nothing waits; for workers whose plugins have no code
   */
  next(block: boolean): NativeBatch | number;
  /** Answers request `index` of a batch with a whole response body. */
  succeed(batchId: number, index: number, body: string, processingTimeMs: number): void;
  /** Answers request `index` of a batch with an error of the table. */
  fail(batchId: number, index: number, code: string, detail: string, path: string): void;
  /** Ends a batch. */
  finish(batchId: number): void;
  /** From now on this worker takes the deployment's batches. */
  host(handle: number): void;
  unhost(handle: number): void;
}

/**
 * Makes this thread a worker of the engine. When the thread ends, however it ends, its batches fail with
 * worker_lost.
 *
 * @param onWork called when work comes after `next()` answered `NextStep.idle`
 */
export function createBatchWorker(onWork: () => void): BatchWorker {
  return addon.createWorker(onWork);
}
