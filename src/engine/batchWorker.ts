/** A worker thread's side of the engine. */
import type { ErrorCode } from '../errors.js';
import type { NextStep } from '../generated/constants.js';
import { addon } from './addon.js';

export { NextStep, Notice } from '../generated/constants.js';

/** A request's body: JSON text, or a binary frame. */
export type Body = string | ArrayBuffer;

/** Requests of one deployment for its plugin's code: [batch id, deployment handle, ...bodies]. */
export type NativeBatch = [batchId: number, handle: number, ...bodies: Body[]];

/** The addon's functions for a worker thread. */
export interface BatchWorker {
  readonly id: number;
  /**
   * Runs models without code until a plugin's batch comes, the event loop must turn, or nothing waits.
   *
   * @param block sleep in native code while nothing waits; for workers whose plugins have no code
   */
  next(block: boolean): NativeBatch | NextStep;
  /**
   * Answers request `index` of a batch with a whole response body, or a binary frame's bytes.
   *
   * @param ranTogether the batch's requests ran as one, so each is charged a part of its time
   */
  succeed(
    batchId: number,
    index: number,
    body: string | Uint8Array,
    processingTimeMs: number,
    ranTogether: boolean,
  ): void;
  /** Answers request `index` of a batch with an error of the table. */
  fail(batchId: number, index: number, code: ErrorCode, detail: string, path: string): void;
  /** Whether a request has ended, by whatever; all of them where there is none with this index. */
  hasEnded(batchId: number, index: number): boolean;
  /** The milliseconds until a request's deadline. */
  timeLeft(batchId: number, index: number): number;
  /** What its client calls a request; '' where that is not known. */
  requestId(batchId: number, index: number): string;
  /** Has `Notice.requestsEnded` come for the batch from now on. */
  watchBatch(batchId: number): void;
  /** Whether the client of a request gets a binary frame if it asks for one. */
  wantsBinary(batchId: number, index: number): boolean;
  /**
   * Runs plugin code for a batch, and the promise reactions that follow at once. Where it does not come back
   * within its time and a grace, it is interrupted.
   *
   * @returns whether it was
   */
  runBatch(batchId: number, code: () => void): boolean;
  /** The same for a step of a stream. */
  runStep(stream: number, code: () => void): boolean;
  /** The same for code with a time of its own. */
  runFor(milliseconds: number, code: () => void): boolean;
  /** Has Node.js handle an error as uncaught. */
  raiseUncaught(error: Error): void;
  /** The plugin's code for the batch taken last goes on in the event loop. */
  leave(): void;
  /** Ends a batch. */
  finish(batchId: number): void;
  /** From now on this worker takes the deployment's batches. */
  host(handle: number): void;
  unhost(handle: number): void;
  /** [stream or batch, its deployment's handle, {@link Notice}s, …] */
  takeNotices(): number[];
  /**
   * The stream's next input, the frame that opened it first. Undefined where none has come, and
   * `Notice.input` will follow; null where none will come.
   */
  takeInput(stream: number): Body | undefined | null;
  /**
   * Delivers an output, {predictions, metadata}.
   *
   * @returns false where the plugin should yield no more until `Notice.room` or `Notice.stop`
   */
  emit(stream: number, body: string | Uint8Array): boolean;
  /**
   * The stream's code has ended; `body` ({metadata?, processingTimeMs}) is the client's last frame.
   *
   * @returns false where the stream had been ended before: by its client, or out of time
   */
  endStream(stream: number, body: string, processingTimeMs: number, inputs: number): boolean;
  /** The stream's code has failed. @returns likewise */
  failStream(
    stream: number,
    code: ErrorCode,
    detail: string,
    path: string,
    processingTimeMs: number,
    inputs: number,
  ): boolean;
  /** The milliseconds until the stream's plugin owes a step; infinite where it owes none. */
  stepTimeLeft(stream: number): number;
  /** What its client calls a stream; '' where that is not known. */
  streamRequestId(stream: number): string;
  /** The synchronous runs from here to `leaveScope()` are the stream's: they stop when it ends. */
  enterStream(stream: number): void;
  /** The same for a request of a batch, or for all of them where there is none with this index. */
  enterBatch(batchId: number, index: number): void;
  leaveScope(): void;
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
