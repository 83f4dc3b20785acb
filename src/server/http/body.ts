import { CloudEasyMLError } from '../../errors.js';

/** What a client may ask of the server. */
export interface ClientLimits {
  /** Bytes of a prediction's body. */
  bodyLimit: number;
  /** Milliseconds that a whole body may take to arrive. */
  requestTimeoutMs: number;
  /** Seconds without a sign of life. */
  idleTimeout: number;
}

/** The error for a body of more than `limit` bytes. */
export function bodyTooLarge(limit: number): CloudEasyMLError {
  return new CloudEasyMLError(
    'body_too_large',
    `The body is larger than the ${limit} bytes that this route takes.`,
  );
}

/** The error for a body that did not arrive in time. */
export function bodyTimedOut(requestTimeoutMs: number): CloudEasyMLError {
  const message = `The body did not arrive within ${requestTimeoutMs} ms.`;
  return new CloudEasyMLError('request_timeout', message);
}

/**
 * A content type without its parameters, in lower case. `curl -d` says `application/x-www-form-urlencoded` of
 * anything, so that counts as JSON, like none.
 */
export function mediaTypeOf(contentType: string): string {
  if (contentType === '' || contentType === 'application/json') return 'application/json';
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  const isJson = /^(application\/(json|x-www-form-urlencoded)|[^/]+\/[^/]+\+json)$/.test(type);
  return isJson ? 'application/json' : type;
}

/** The error for a body of a type that a route does not take. */
export function wrongMediaType(mediaType: string, expected: string): CloudEasyMLError {
  return new CloudEasyMLError(
    'unsupported_media_type',
    `Expected a body of type ${expected} but received ${JSON.stringify(mediaType)}.`,
  );
}

/** The parts of a body that JavaScript reads as a whole. */
export class BodyParts {
  readonly #chunks: Buffer[] = [];

  /** Copies a part: its memory is the socket's. */
  add(chunk: ArrayBuffer): void {
    if (chunk.byteLength > 0) this.#chunks.push(Buffer.from(new Uint8Array(chunk)));
  }

  whole(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }
}
