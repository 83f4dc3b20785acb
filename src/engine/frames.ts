/** The frames of a connection that carries many requests; native/codec/frame.h describes them. */

/** What is wrong with a frame. The numbers are the addon's. */
export const FrameFault = {
  none: 0,
  malformed: 1,
  notAnObject: 2,
  headerLength: 3,
  id: 4,
  deploymentId: 5,
  switch: 6,
  twice: 7,
} as const;

/** What a frame asks for, in bits. The numbers are the addon's. */
export const FrameAsks = {
  /** It names a deployment. */
  start: 1,
  data: 2,
  stream: 4,
  end: 8,
  cancel: 16,
} as const;

/** The members of a binary frame's header that describe its tensors. */
export interface TensorHeader {
  /** Left out for a tensor that is all the data there is. */
  name?: string;
  type: string;
  dims: number[];
}

const lengthBytes = 4;

/**
 * Takes a binary frame apart.
 *
 * @returns its header's text, and the bytes behind it
 */
export function splitFrame(frame: ArrayBuffer): { header: string; bytes: Uint8Array } {
  const length = new DataView(frame).getUint32(0, true);
  return {
    header: new TextDecoder().decode(new Uint8Array(frame, lengthBytes, length)),
    bytes: new Uint8Array(frame, lengthBytes + length),
  };
}

/** Puts a binary frame together. The engine aligns its tensors when it puts the frame's id in front. */
export function joinFrame(header: string, parts: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(header);
  const start = lengthBytes + text.length;
  const size = parts.reduce((sum, part) => sum + part.byteLength, start);
  const frame = new Uint8Array(size);
  new DataView(frame.buffer).setUint32(0, text.length, true);
  frame.set(text, lengthBytes);
  let at = start;
  for (const part of parts) {
    frame.set(part, at);
    at += part.byteLength;
  }
  return frame;
}
