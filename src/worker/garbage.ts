import { addon } from '../engine/addon.js';

/** Several models that are unloaded within this time are collected together. */
const collectAfterMs = 1_000;

/**
 * Collects what unloaded models leave in this thread's heap. V8 by itself waits until a heap is several times
 * as large as what is in use, in each thread.
 */
export class Garbage {
  #timer: NodeJS.Timeout | undefined;
  readonly #collect = () => {
    this.#timer = undefined;
    addon.collectGarbage();
  };

  /** Begins within a second. */
  collectLater(): void {
    this.#timer ??= setTimeout(this.#collect, collectAfterMs).unref();
  }
}
