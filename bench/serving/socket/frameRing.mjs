import { clientFrame, Opcode } from './frames.mjs';
import { firstId, idAt, kindAt, lengthBytes, mostIds } from './payloads.mjs';

/** Enough for an id to come again long after it was answered; little enough for a cache. */
const ringBytes = 4 * 2 ** 20;

/** Of a payload, to tell which request it answers and how. */
export const peekBytes = lengthBytes + kindAt + 1;

/**
 * One request over and over as ready-made frames in one piece of memory, each with an id of its own: what
 * is due is a range of it, and is written as it lies.
 */
export class FrameRing {
  /**
   * @param {import('./payloads.mjs').Payload} payload
   * @param {number} inFlight frames whose answers may be on their way at once
   */
  constructor({ bytes, isBinary }, inFlight) {
    const { frame, payloadAt } = clientFrame(isBinary ? Opcode.binary : Opcode.text, bytes);
    const least = 4 * inFlight;
    this.frames = Math.min(mostIds, Math.max(least, Math.floor(ringBytes / frame.length)));
    if (inFlight > this.frames) throw new Error(`Expected at most ${this.frames} in flight.`);
    this.frameBytes = frame.length;
    this.memory = Buffer.alloc(this.frames * frame.length);
    for (let slot = 0; slot < this.frames; slot++) {
      const at = slot * frame.length;
      frame.copy(this.memory, at);
      const id = at + payloadAt + (isBinary ? lengthBytes : 0) + idAt;
      this.memory.write(String(firstId + slot), id, 'latin1');
    }
  }

  /** @type {(slot: number, count: number) => Buffer} frames from a slot on, not beyond the last */
  range(slot, count) {
    return this.memory.subarray(slot * this.frameBytes, (slot + count) * this.frameBytes);
  }
}

/**
 * @param {number} opcode
 * @param {Buffer} bytes
 * @param {number} payloadAt
 * @returns {{ slot: number, kind: number }} which of the ring's frames it answers, and how
 */
export function readAnswer(opcode, bytes, payloadAt) {
  const at = payloadAt + (opcode === Opcode.binary ? lengthBytes : 0);
  let id = 0;
  for (let digit = at + idAt; digit < at + idAt + 4; digit++) {
    id = id * 10 + /** @type {number} */ (bytes[digit]) - 48;
  }
  return { slot: id - firstId, kind: bytes[at + kindAt] ?? 0 };
}
