/** The frames of a connection that carries many requests; native/protocols/frame.h describes them. */

import { BinaryFrame } from '../generated/constants.js';

export { FrameAsks, FrameFault, ScannedFrame } from '../generated/constants.js';

/** The members of a binary frame's header that describe its tensors. */
export interface TensorHeader {
  /** Left out for a tensor that is all the data there is. */
  name?: string;
  type: string;
  dims: number[];
}

/**
 * Takes a binary frame apart.
 *
 * @returns its header's text, and the bytes behind it
 */
export function splitFrame(frame: ArrayBuffer): { header: string; bytes: Uint8Array } {
  const length = new DataView(frame).getUint32(0, true);
  return {
    header: new TextDecoder().decode(new Uint8Array(frame, BinaryFrame.lengthBytes, length)),
    bytes: new Uint8Array(frame, BinaryFrame.lengthBytes + length),
  };
}

/** Puts a binary frame together. The engine aligns its tensors when it puts the frame's id in front. */
export function joinFrame(header: string, parts: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const start = BinaryFrame.lengthBytes + text.length;
  const size = parts.reduce((sum, part) => sum + part.byteLength, start);
  const frame = new Uint8Array(size);
  new DataView(frame.buffer).setUint32(0, text.length, true);
  frame.set(text, BinaryFrame.lengthBytes);
  let at = start;
  for (const part of parts) {
    frame.set(part, at);
    at += part.byteLength;
  }
  return frame;
}
