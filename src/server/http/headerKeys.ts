/** Text as the bytes that uWebSockets.js takes as they are; a string it converts anew each time. */
export function bytesOf(text: string): ArrayBuffer {
  return Uint8Array.from(Buffer.from(text)).buffer;
}

/** The names of the headers that every prediction is looked at for, or may answer with. */
export const headerKeys = {
  accept: bytesOf('accept'),
  acceptEncoding: bytesOf('accept-encoding'),
  authorization: bytesOf('authorization'),
  contentEncoding: bytesOf('content-encoding'),
  contentType: bytesOf('content-type'),
  origin: bytesOf('origin'),
  priority: bytesOf('x-priority'),
  requestId: bytesOf('x-request-id'),
  serverTiming: bytesOf('server-timing'),
  timeoutMs: bytesOf('x-timeout-ms'),
};
