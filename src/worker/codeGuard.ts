import type { BatchWorker } from '../engine/batchWorker.js';
import { leaveRunScopes } from '../engine/runScope.js';

/** What a request or stream is told whose code was interrupted. */
export const interruptedDetail =
  'The plugin’s code did not come back in time, and was interrupted.';

/**
 * Enters plugin code, which the engine interrupts where it does not come back.
 *
 * Each way in takes code without arguments, so that callers can reuse it, and tells whether it was
 * interrupted. Neither its `catch` nor its `finally` has run then, and its promises stay pending. It must be
 * called where the event loop calls, not in a promise's reaction: an interruption drops the reactions that
 * wait.
 */
export class CodeGuard {
  readonly #engine: BatchWorker;

  constructor(engine: BatchWorker) {
    this.#engine = engine;
  }

  /** For a batch, until some time after its deadline. */
  runBatch(batchId: number, code: () => void): boolean {
    return this.#engine.runBatch(batchId, code) && this.#recover();
  }

  /** For a step of a stream, likewise. */
  runStep(stream: number, code: () => void): boolean {
    return this.#engine.runStep(stream, code) && this.#recover();
  }

  runFor(ms: number, code: () => void): boolean {
    return this.#engine.runFor(ms, code) && this.#recover();
  }

  /** In the event loop's next turn. */
  runLater(ms: number, code: () => void): Promise<boolean> {
    return new Promise((resolve) => setImmediate(() => resolve(this.runFor(ms, code))));
  }

  /** Leaves the asynchronous contexts that the code was in. */
  #recover(): true {
    leaveRunScopes();
    process.setUncaughtExceptionCaptureCallback(null);
    process.setUncaughtExceptionCaptureCallback(() => {});
    try {
      this.#engine.raiseUncaught(new Error(interruptedDetail));
    } finally {
      process.setUncaughtExceptionCaptureCallback(null);
    }
    leaveRunScopes();
    return true;
  }
}
