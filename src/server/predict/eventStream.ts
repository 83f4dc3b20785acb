import type { HttpResponse } from 'uWebSockets.js';

/** The media type of server-sent events. */
export const eventStreamType = 'text/event-stream';

/** The headers of a response that proxies must pass on as it comes. */
export const eventStreamHeaders = {
  'content-type': eventStreamType,
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
} as const;

/** Whether a client asks for events rather than one answer. */
export function wantsEvents(accept: string): boolean {
  return accept.includes(eventStreamType);
}

/**
 * One event.
 *
 * @param data JSON in one line
 */
export function eventText(event: string, data: Uint8Array | ArrayBuffer | string): Buffer {
  const text = typeof data === 'string' ? Buffer.from(data) : viewOf(data);
  return Buffer.concat([Buffer.from(`event: ${event}\ndata: `), text, Buffer.from('\n\n')]);
}

/** A line that clients skip and that keeps proxies from taking the connection for dead. */
export const heartbeat = ': heartbeat\n\n';

/**
 * Writes a part of the body.
 *
 * @returns false where the client reads more slowly than this; `onWritable` tells when it has caught up
 */
export function writeEvents(res: HttpResponse, text: Buffer | string): boolean {
  let isWritten = true;
  res.cork(() => {
    isWritten = res.write(text);
  });
  return isWritten;
}

/** The bytes where they lie. */
export function viewOf(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
}
