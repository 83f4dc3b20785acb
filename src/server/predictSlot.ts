import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { Principal } from '../auth/principal.js';
import type { Deployment } from '../deployment/deployment.js';
import { eventText, writeEvents } from './eventStream.js';
import { bytesOf, headerKeys } from './headerKeys.js';

export const Phase = {
  free: 0,
  /** Its body is arriving. */
  receiving: 1,
  /** The engine has it. */
  queued: 2,
  /** Its client has gone, and its completion is on the way. */
  orphaned: 3,
  /** The rest of its answer goes out as its client reads. */
  answering: 4,
  /** Its answer is a sequence of events, and not over. */
  streaming: 5,
} as const;

/**
 * The start of nearly every answer, as one string: each value given to uWebSockets.js costs as much as
 * looking a key up.
 */
const okJson = bytesOf('200 OK\r\ncontent-type: application/json');

/** A larger answer may not fit into its socket's buffer. */
const writtenAtOnceBytes = 64 * 1024;

/** Events of a slot's connection. */
export interface SlotListener {
  onChunk(slot: PredictSlot, chunk: ArrayBuffer, isLast: boolean): void;
  onGone(slot: PredictSlot): void;
  /** The last byte of an answer has left that `answer` could not write at once. */
  onAnswered(slot: PredictSlot): void;
  /** The client has read what `writeEvent` could not write at once. */
  onReadAgain(slot: PredictSlot): void;
}

/**
 * A prediction request in flight. Slots are used again and again and own their callbacks, so a request
 * makes no closures and no garbage.
 */
export class PredictSlot {
  /** The request's number in the engine. */
  readonly ticket: number;
  phase: (typeof Phase)[keyof typeof Phase] = Phase.free;
  res: HttpResponse | undefined;
  principal: Principal | undefined;
  /** The number of the endpoint that the path named, or routeByBody. */
  route = 0;
  /** Priority and timeout from its headers, 0 for none. */
  priority = 0;
  timeoutMs = 0;
  deployment: Deployment | undefined;
  /** The client's x-request-id, '' where it sent none. */
  requestIdHeader = '';
  origin = '';
  /** The client asked for server-sent events. */
  wantsEvents = false;
  receivedBytes = 0;
  /** Bytes of its answer that wait for its client to read. */
  unreadBytes = 0;
  /** The receiver's clock when the request came, in seconds. */
  startedAt = 0;
  /** The receiver's clock when the last event was written, in seconds. */
  wroteAt = 0;
  /** Its client does not keep up with its events. */
  isHeld = false;
  /** The receiver's clock when that began, in seconds. */
  heldAt = 0;

  readonly onData: (chunk: ArrayBuffer, isLast: boolean) => void;
  readonly onAborted: () => void;
  readonly #write: () => void;
  readonly #listener: SlotListener;
  #status = 200;
  #headers: Record<string, string> | undefined;
  #timing: Uint8Array | undefined;
  #body: Uint8Array | ArrayBuffer | string = '';
  #close = false;
  #isWhole = true;

  constructor(ticket: number, listener: SlotListener) {
    this.ticket = ticket;
    this.#listener = listener;
    this.onData = (chunk, isLast) => listener.onChunk(this, chunk, isLast);
    this.onAborted = () => listener.onGone(this);
    this.#write = () => {
      const res = this.res!;
      const headers = this.#headers;
      if (headers) {
        res.writeStatus(`${this.#status} ${STATUS_CODES[this.#status] ?? 'Unknown'}`);
        for (const name in headers) res.writeHeader(name, headers[name]!);
      } else {
        res.writeStatus(okJson);
      }
      if (this.#timing) res.writeHeader(headerKeys.serverTiming, this.#timing);
      const body = this.#body;
      this.#isWhole = true;
      if (typeof body !== 'string' && body.byteLength > writtenAtOnceBytes) this.#writeLarge(body);
      else res.end(body, this.#close);
    };
  }

  /**
   * Answers 200 with a JSON body.
   *
   * @param timing the `server-timing` header, where it is wanted
   * @returns whether all of it is out; else `onAnswered` will be called, or `onGone`
   */
  answer(
    body: Uint8Array | ArrayBuffer,
    headers: Record<string, string> | undefined,
    timing: Uint8Array | undefined,
  ): boolean {
    this.#status = 200;
    this.#headers = headers;
    this.#timing = timing;
    this.#body = body;
    this.#close = false;
    this.res!.cork(this.#write);
    this.#body = '';
    return this.#isWhole;
  }

  /** Answers with any status, and all headers given. */
  answerWith(
    status: number,
    headers: Record<string, string>,
    body: string,
    closeConnection: boolean,
  ): void {
    this.#status = status;
    this.#headers = headers;
    this.#timing = undefined;
    this.#body = body;
    this.#close = closeConnection;
    this.res!.cork(this.#write);
    this.#body = '';
  }

  /** Begins an answer of events. */
  beginEvents(headers: Record<string, string>): void {
    const res = this.res!;
    res.cork(() => {
      for (const name in headers) res.writeHeader(name, headers[name]!);
      // Sends the headers before there is an event.
      res.write('\n');
    });
    res.onWritable(() => {
      if (this.phase === Phase.streaming) this.#listener.onReadAgain(this);
      return true;
    });
  }

  /** @returns false where the client does not keep up; `onReadAgain` will be called */
  writeEvent(event: string, data: Uint8Array | ArrayBuffer | string): boolean {
    return writeEvents(this.res!, eventText(event, data));
  }

  /** Writes the last event. */
  endEvents(event: string, data: Uint8Array | ArrayBuffer | string): void {
    const res = this.res!;
    res.cork(() => {
      res.end(eventText(event, data));
    });
  }

  #writeLarge(body: Uint8Array | ArrayBuffer): void {
    const res = this.res!;
    const size = body.byteLength;
    this.#isWhole = res.tryEnd(body, size)[1];
    if (this.#isWhole) return;
    // A view's bytes are the engine's again when the caller returns.
    const kept = body instanceof ArrayBuffer ? body : body.slice().buffer;
    res.onWritable((offset) => {
      const [isWritten, isWhole] = res.tryEnd(new Uint8Array(kept, offset), size);
      if (isWhole) this.#listener.onAnswered(this);
      return isWritten;
    });
  }

  clear(): void {
    this.phase = Phase.free;
    this.res = undefined;
    this.principal = undefined;
    this.deployment = undefined;
    this.requestIdHeader = '';
    this.origin = '';
    this.wantsEvents = false;
    this.priority = 0;
    this.timeoutMs = 0;
    this.isHeld = false;
    this.receivedBytes = 0;
    this.unreadBytes = 0;
  }
}
