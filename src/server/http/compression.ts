import { deflate, gzip, unzip } from 'node:zlib';
import { CloudEasyMLError } from '../../errors.js';
import { bodyTooLarge } from './body.js';

/** A coding of bodies that the server reads and writes. */
export type Encoding = 'gzip' | 'deflate';

/** Smaller answers fit into a packet or two as they are. */
const worthwhileBytes = 2048;
/** Most of the gain for a fraction of the time. */
const level = 1;

/**
 * The coding that a client prefers for large answers.
 *
 * @param acceptEncoding the header's value, '' where there is none
 */
export function acceptedEncoding(acceptEncoding: string): Encoding | undefined {
  if (acceptEncoding === '') return undefined;
  const accepted = new Map(
    acceptEncoding.split(',').map((part) => {
      const [coding, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return [coding!, q === undefined ? 1 : Number(q)];
    }),
  );
  const weight = (coding: Encoding) => accepted.get(coding) ?? accepted.get('*') ?? 0;
  if (weight('gzip') > 0 && weight('gzip') >= weight('deflate')) return 'gzip';
  return weight('deflate') > 0 ? 'deflate' : undefined;
}

export function isWorthCompressing(body: Uint8Array | ArrayBuffer | string): boolean {
  return (typeof body === 'string' ? body.length : body.byteLength) >= worthwhileBytes;
}

/** Compresses an answer in another thread; where that fails, hands it on as it is. */
export function compress(
  body: Uint8Array | ArrayBuffer | string,
  encoding: Encoding,
  done: (compressed: Uint8Array) => void,
): void {
  // A view's bytes are the engine's again when the caller returns.
  const bytes = body instanceof ArrayBuffer ? new Uint8Array(body) : Buffer.from(body);
  const pack = encoding === 'gzip' ? gzip : deflate;
  pack(bytes, { level }, (_, compressed) => done(compressed));
}

/**
 * The coding of a body by its header.
 *
 * @param contentEncoding the header's value, '' where there is none
 * @throws CloudEasyMLError `unsupported_media_type` for others than gzip and deflate
 */
export function encodingOf(contentEncoding: string): Encoding | undefined {
  const coding = contentEncoding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') return undefined;
  if (coding === 'gzip' || coding === 'x-gzip') return 'gzip';
  if (coding === 'deflate') return 'deflate';
  throw new CloudEasyMLError(
    'unsupported_media_type',
    `Expected a body in the encoding gzip or deflate, or in none, but received ${JSON.stringify(coding)}.`,
  );
}

/**
 * Inflates a body of either coding, in another thread.
 *
 * @param limit bytes that it may have then
 * @throws CloudEasyMLError `body_too_large`; `bad_request` where it is damaged
 */
export function inflate(body: Uint8Array, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    unzip(body, { maxOutputLength: limit }, (error, inflated) => {
      if (!error) resolve(inflated);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        reject(bodyTooLarge(limit));
      else {
        const why =
          'The body is not valid gzip or deflate data, although it begins or is said to be.';
        reject(new CloudEasyMLError('bad_request', why));
      }
    });
  });
}
