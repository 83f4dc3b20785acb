import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { Principal } from '../../auth/principal.js';
import { compress, type Encoding, isWorthCompressing } from './compression.js';
import { bytesOf, headerKeys } from './headerKeys.js';
import { requestIdFor } from './requestId.js';

/**
 * The start of nearly every answer, as one string: each value given to uWebSockets.js costs as much as
 * looking a key up.
 */
const okJson = bytesOf('200 OK\r\ncontent-type: application/json');

/** A larger answer may not fit into its socket's buffer. */
const writtenAtOnceBytes = 64 * 1024;

export type AnswerBody = Uint8Array | ArrayBuffer | string;

/** Serves a request that the pipeline let in. */
export interface ExchangeListener {
  /** A part of the body, whose memory is gone when this returns. */
  onBody(exchange: Exchange, chunk: ArrayBuffer, isLast: boolean): void;
  /** The rest of the body will not come, and the exchange is about to be answered. */
  onCut(exchange: Exchange): void;
  /** The client has gone. Nothing else will come. */
  onGone(exchange: Exchange): void;
  /** So many bytes of its answer wait for its client to read. */
  onUnread(exchange: Exchange, bytes: number): void;
  /** Its answer is out. */
  onAnswered(exchange: Exchange): void;
}

/** What the pipeline does with what comes from a request's connection. */
interface ExchangeOwner {
  onChunk(exchange: Exchange, chunk: ArrayBuffer, isLast: boolean): void;
  onAborted(exchange: Exchange): void;
}

/**
 * One request and its answer, safe against a client that goes at any moment. It owns its callbacks, so one
 * that is used again makes no closures.
 */
export class Exchange {
  readonly listener: ExchangeListener;
  /** Undefined while it is free, and when the client has gone. */
  res: HttpResponse | undefined;
  /** Set once the key is known. */
  principal: Principal | undefined;
  /** The client's x-request-id, '' where it sent none. */
  requestIdHeader = '';
  /** The page's origin, '' where there is none or it does not matter. */
  origin = '';
  /** Bytes of its body that came so far. */
  receivedBytes = 0;
  /** Bytes that its body may have. */
  bodyLimit = 0;
  /** When its body must have come, in milliseconds since 1970; 0 while none is due. */
  receiveBy = 0;
  /** The status that was sent; 0 before. */
  status = 0;
  /** The answer has no body, only its headers. */
  isHead = false;
  /** How its client likes large answers. */
  encoding: Encoding | undefined;

  readonly onData: (chunk: ArrayBuffer, isLast: boolean) => void;
  readonly onAborted: () => void;
  readonly #write: () => void;
  #headers: Record<string, string> | undefined;
  #timing: Uint8Array | undefined;
  #body: AnswerBody = '';
  #close = false;
  #isWhole = true;
  #requestId = '';

  constructor(listener: ExchangeListener, owner: ExchangeOwner) {
    this.listener = listener;
    this.onData = (chunk, isLast) => owner.onChunk(this, chunk, isLast);
    this.onAborted = () => owner.onAborted(this);
    this.#write = () => this.#writeAnswer();
  }

  /** Under which the request is logged and answered. */
  get requestId(): string {
    if (this.#requestId === '') this.#requestId = requestIdFor(this.requestIdHeader);
    return this.#requestId;
  }

  /** The client's address, as text. */
  get address(): string {
    return this.res ? Buffer.from(this.res.getRemoteAddressAsText()).toString() : '';
  }

  /** Takes over a request; to be called before the handler of its route returns. */
  open(res: HttpResponse, req: HttpRequest, readsOrigin: boolean): void {
    this.res = res;
    this.status = 0;
    this.receivedBytes = 0;
    this.requestIdHeader = req.getHeader(headerKeys.requestId);
    if (readsOrigin) this.origin = req.getHeader(headerKeys.origin);
    res.onAborted(this.onAborted);
  }

  /**
   * Answers with a status and headers; without headers, 200 with JSON. The listener's `onAnswered` is called
   * when all of it is out: at once, or when the client has read it.
   *
   * @param body bytes are copied where they can't be written at once
   * @param timing the `server-timing` header, where it is wanted
   */
  answer(
    status: number,
    headers: Record<string, string> | undefined,
    body: AnswerBody,
    closeConnection: boolean,
    timing?: Uint8Array,
  ): void {
    this.status = status;
    this.receiveBy = 0;
    this.#headers = headers;
    this.#timing = timing;
    this.#close = closeConnection;
    this.#body = body;
    if (this.encoding && isWorthCompressing(body)) {
      this.#answerCompressed(this.encoding);
      return;
    }
    this.#send();
  }

  /** Forgets the request, for the next one. */
  clear(): void {
    this.res = undefined;
    this.principal = undefined;
    this.requestIdHeader = '';
    this.#requestId = '';
    this.origin = '';
    this.receiveBy = 0;
    this.isHead = false;
    this.encoding = undefined;
  }

  #send(): void {
    this.res!.cork(this.#write);
    this.#body = '';
    if (this.#isWhole) this.listener.onAnswered(this);
  }

  #answerCompressed(encoding: Encoding): void {
    const { res } = this;
    compress(this.#body, encoding, (compressed) => {
      // Its client may have gone, and the exchange be in use for another.
      if (this.res !== res) return;
      this.#headers = {
        'content-type': 'application/json',
        ...this.#headers,
        'content-encoding': encoding,
        vary: this.#headers?.vary ? `${this.#headers.vary}, accept-encoding` : 'accept-encoding',
      };
      this.#body = compressed;
      this.#send();
    });
  }

  #writeAnswer(): void {
    const res = this.res!;
    const headers = this.#headers;
    if (headers) {
      res.writeStatus(`${this.status} ${STATUS_CODES[this.status] ?? 'Unknown'}`);
      for (const name in headers) res.writeHeader(name, headers[name]!);
    } else {
      res.writeStatus(okJson);
    }
    if (this.#timing) res.writeHeader(headerKeys.serverTiming, this.#timing);
    const body = this.#body;
    this.#isWhole = true;
    if (this.isHead) this.#endHead(body);
    else if (typeof body !== 'string' && body.byteLength > writtenAtOnceBytes)
      this.#writeLarge(body);
    else res.end(body, this.#close);
  }

  #endHead(body: AnswerBody): void {
    const res = this.res!;
    res.writeHeader('content-length', String(Buffer.byteLength(body as string)));
    if (this.#close) res.writeHeader('connection', 'close');
    // With arguments uWebSockets.js waits for the body, and closes the connection on the next request.
    res.endWithoutBody();
  }

  #writeLarge(body: Uint8Array | ArrayBuffer): void {
    const res = this.res!;
    const size = body.byteLength;
    if (this.#close) res.writeHeader('connection', 'close');
    this.#isWhole = res.tryEnd(body, size)[1];
    if (this.#isWhole) return;
    this.listener.onUnread(this, size);
    // A view's bytes are the engine's again when the caller returns.
    const kept = body instanceof ArrayBuffer ? body : body.slice().buffer;
    res.onWritable((offset) => {
      const [isWritten, isWhole] = res.tryEnd(new Uint8Array(kept, offset), size);
      if (isWhole) this.listener.onAnswered(this);
      return isWritten;
    });
  }
}
