import type { HttpResponse } from 'uWebSockets.js';
import { CloudEasyMLError } from '../errors.js';

export interface BodyLimits {
  /** Bytes. */
  bodyLimit: number;
  /** Milliseconds that the whole body may take to arrive. */
  requestTimeoutMs: number;
}

/** What a client may ask of the server. */
export interface ClientLimits extends BodyLimits {
  /** Seconds without a sign of life. */
  idleTimeout: number;
}

/** The error for a body of more than `limit` bytes. */
export function bodyTooLarge(limit: number): CloudEasyMLError {
  return new CloudEasyMLError(
    'body_too_large',
    `The body is larger than the ${limit} bytes that this server takes.`,
  );
}

/**
 * Refuses a body that says that it is not JSON. None and `application/x-www-form-urlencoded` pass,
 * because the second is what `curl -d` says of anything.
 *
 * @param contentType the header's value, '' where there is none
 * @throws CloudEasyMLError `unsupported_media_type`
 */
export function requireJson(contentType: string): void {
  if (contentType === '' || contentType === 'application/json') return;
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (/^(application\/(json|x-www-form-urlencoded)|[^/]+\/[^/]+\+json)$/.test(mediaType)) {
    return;
  }
  throw new CloudEasyMLError(
    'unsupported_media_type',
    `Expected a body of type application/json but received ${JSON.stringify(mediaType)}.`,
  );
}

/**
 * Reads a request's body. Must be called before the route's handler returns.
 *
 * @param contentLength the header's value, '' where there is none
 * @param gone aborted when the client goes
 * @throws CloudEasyMLError `body_too_large`; `request_timeout`; `cancelled` when the client goes
 */
export function readBody(
  res: HttpResponse,
  contentLength: string,
  limits: BodyLimits,
  gone: AbortSignal,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (Number(contentLength) > limits.bodyLimit) {
      reject(bodyTooLarge(limits.bodyLimit));
      return;
    }
    let chunks: Buffer[] = [];
    let size = 0;
    let settled = false;
    const settle = (act: () => void) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      act();
      chunks = [];
    };
    const timer = setTimeout(() => {
      const message = `The body did not arrive within ${limits.requestTimeoutMs} ms.`;
      settle(() => reject(new CloudEasyMLError('request_timeout', message)));
    }, limits.requestTimeoutMs);
    gone.addEventListener('abort', () => {
      const message = 'The client went before its body had arrived.';
      settle(() => reject(new CloudEasyMLError('cancelled', message)));
    });
    res.onData((chunk, isLast) => {
      if (settled) return;
      size += chunk.byteLength;
      if (size > limits.bodyLimit) {
        settle(() => reject(bodyTooLarge(limits.bodyLimit)));
        return;
      }
      // uWS takes the chunk's memory back when this returns.
      if (chunk.byteLength > 0) chunks.push(Buffer.from(new Uint8Array(chunk)));
      if (isLast) settle(() => resolve(Buffer.concat(chunks)));
    });
  });
}
