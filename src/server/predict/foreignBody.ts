import uWS from 'uWebSockets.js';
import { joinFrame } from '../../engine/frames.js';
import { CloudEasyMLError } from '../../errors.js';
import { BodyParts, mediaTypeOf, wrongMediaType } from '../http/body.js';
import { encodingOf, inflate } from '../http/compression.js';

/** Media types whose bytes a plugin gets as they are. */
const bytesType = /^(image|audio|video)\/[\w.+-]+$|^application\/octet-stream$/;
const multipart = 'multipart/form-data';

/** Media types that a prediction takes beside JSON. */
export const foreignTypes = [
  'image/*',
  'audio/*',
  'video/*',
  'application/octet-stream',
  multipart,
] as const;

/**
 * A prediction's body that the engine can't take as it comes: compressed, or other than JSON. It is collected
 * in JavaScript, and made into JSON or a binary frame.
 */
export class ForeignBody {
  readonly #parts = new BodyParts();
  readonly #isCompressed: boolean;
  /** With its parameters; undefined for JSON. */
  readonly #contentType: string | undefined;

  private constructor(isCompressed: boolean, contentType: string | undefined) {
    this.#isCompressed = isCompressed;
    this.#contentType = contentType;
  }

  /** JSON that begins with these bytes, which are gzip's or zlib's. */
  static compressed(chunk: ArrayBuffer): ForeignBody {
    const body = new ForeignBody(true, undefined);
    body.add(chunk);
    return body;
  }

  /**
   * A body of another type than JSON.
   *
   * @param isRouted the path names the deployment, which such a body can't
   * @throws CloudEasyMLError `unsupported_media_type`
   */
  static ofType(contentType: string, contentEncoding: string, isRouted: boolean): ForeignBody {
    const mediaType = mediaTypeOf(contentType);
    if (mediaType !== multipart && !bytesType.test(mediaType)) {
      throw wrongMediaType(mediaType, `application/json, ${foreignTypes.join(', ')}`);
    }
    if (!isRouted) {
      throw new CloudEasyMLError(
        'unsupported_media_type',
        `A body of type ${mediaType} names no deployment: send it to /predict/{deploymentId}.`,
      );
    }
    return new ForeignBody(encodingOf(contentEncoding) !== undefined, contentType);
  }

  /** Copies a part. */
  add(chunk: ArrayBuffer): void {
    this.#parts.add(chunk);
  }

  /**
   * The whole body as the engine takes it.
   *
   * @param limit bytes that it may have after inflating
   * @throws CloudEasyMLError `body_too_large`, `bad_request`, `invalid_input`
   */
  async read(limit: number): Promise<{ bytes: ArrayBuffer; isFrame: boolean }> {
    const received = this.#parts.whole();
    const body = this.#isCompressed ? await inflate(received, limit) : received;
    if (this.#contentType === undefined) return { bytes: asArrayBuffer(body), isFrame: false };
    const isForm = mediaTypeOf(this.#contentType) === multipart;
    const frame = isForm ? formFrame(body, this.#contentType) : bytesFrame(body, this.#contentType);
    return { bytes: asArrayBuffer(frame), isFrame: true };
  }
}

function bytesFrame(body: Buffer, contentType: string): Uint8Array {
  return joinFrame(JSON.stringify({ body: { type: mediaTypeOf(contentType) } }), [body]);
}

function formFrame(body: Buffer, contentType: string): Uint8Array {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType)?.slice(1).join('');
  // The parser takes what ends in between for whole.
  const isWhole = boundary !== undefined && body.includes(`--${boundary}--`);
  const fields = isWhole && uWS.getParts(asArrayBuffer(body), `${multipart}; boundary=${boundary}`);
  if (!fields) {
    throw new CloudEasyMLError(
      'bad_request',
      'The body is not valid multipart/form-data: expected parts between the boundary that the content-type names.',
    );
  }
  const parts = fields.map(({ name, type, filename, data }) => ({
    name,
    ...(type !== undefined && { type }),
    ...(filename !== undefined && { filename }),
    size: data.byteLength,
  }));
  return joinFrame(
    JSON.stringify({ parts }),
    fields.map(({ data }) => new Uint8Array(data)),
  );
}

function asArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return buffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
