import type { Completion } from '../../engine/frontEnd.js';
import { bytesOf } from '../http/headerKeys.js';

const parts = ['queue;dur=', ', batch;dur=', ', compute;dur='].map(
  (text) => new Uint8Array(bytesOf(text)),
);
/** Three parts with the longest of numbers. */
const longestText = 128;
const zero = 48;
const point = 46;

/**
 * Writes a prediction's `server-timing`, in milliseconds with three decimals. It writes bytes, since V8
 * keeps the text of every number that it has lately made: at tens of thousands of requests a second that
 * fills the old generation, whose collections are what clients would then measure.
 */
export class ServerTimingWriter {
  readonly #bytes = new Uint8Array(longestText);
  #length = 0;

  /** @returns bytes that hold until the next call */
  write({ queueMs, batchMs, processingTimeMs }: Completion): Uint8Array {
    this.#length = 0;
    this.#add(parts[0]!, queueMs);
    this.#add(parts[1]!, batchMs);
    this.#add(parts[2]!, Math.max(0, processingTimeMs - batchMs));
    return this.#bytes.subarray(0, this.#length);
  }

  #add(name: Uint8Array, ms: number): void {
    this.#bytes.set(name, this.#length);
    this.#length += name.length;
    const microseconds = Math.round(ms * 1000);
    this.#addDigits(Math.floor(microseconds / 1000), 1);
    this.#bytes[this.#length++] = point;
    this.#addDigits(microseconds % 1000, 3);
  }

  #addDigits(value: number, least: number): void {
    let count = least;
    for (let limit = 10 ** least; value >= limit; limit *= 10) count++;
    let rest = value;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      this.#bytes[at] = zero + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#length += count;
  }
}
