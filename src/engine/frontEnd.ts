/** A socket thread's side of the engine: requests in, completions out. */
import {
  CompletionFlag,
  CompletionRecord,
  Outcome,
  Owner,
  Route,
  ScannedFrame,
} from '../generated/constants.js';
import { addon } from './addon.js';

export { Admission, Outcome } from '../generated/constants.js';

/** In the place of an endpoint's number: the body names the endpoint. */
export const routeByBody = Route.byBody;
/** Added to a user's number: the request may go to deployments of other users, too. */
export const anyOwner = Owner.any;

const maxRecords = 1024;
const outboxBytes = 1 << 20;

/** A completion. The object is used again for the next one. */
export interface Completion {
  ticket: number;
  outcome: Outcome;
  /** Rows of the request's data, 0 where it was never read; a stream's inputs. */
  rows: number;
  processingTimeMs: number;
  /** From the request's arrival until a worker took it. */
  queueMs: number;
  /** From then until its run began; 0 for plugins with code. */
  batchMs: number;
  /** The request's share, by rows, of what its batch took. */
  chargedMs: number;
  /**
   * What the client gets: the response's JSON, or {code, detail, path?} where the request failed; for a
   * frame that named an id, a whole frame. The bytes are gone at the next drain.
   */
  body: Uint8Array | ArrayBuffer;
  /** The body is a binary frame. */
  isBinary: boolean;
}

/** Receives the completions of requests and streams. */
export interface CompletionListener {
  onCompletion(completion: Completion): void;
  /** All completions so far have been delivered. */
  onDrained?(): void;
}

/**
 * Submits requests and streams to the engine and delivers their completions. A ticket is the caller's number
 * for one: it is in use from the first `append`, `submit` or `open…` until its last completion, or until
 * it is refused, `discard`, a successful `cancel`, or `cancelStream`.
 *
 * An `owner` is the number of the user whose bytes are counted and whose deployments are meant, with
 * {@link anyOwner} where all are.
 */
export class FrontEnd {
  /** What scanFrame() found, in {@link ScannedFrame}'s order. */
  readonly scanned = new Int32Array(ScannedFrame.size);
  readonly #native: NativeFrontEnd;
  readonly #listener: CompletionListener;
  readonly #records = new Int32Array(maxRecords * CompletionRecord.size);
  readonly #outbox = new Uint8Array(outboxBytes);
  readonly #completion: Completion = {
    ticket: 0,
    outcome: Outcome.answered,
    rows: 0,
    processingTimeMs: 0,
    queueMs: 0,
    batchMs: 0,
    chargedMs: 0,
    body: this.#outbox,
    isBinary: false,
  };
  #flushing = false;
  /**
   * At the end of the event loop's turn: wakes workers once for all requests that came in it, and takes
   * what they completed meanwhile, which spares them waking this thread.
   */
  readonly #flush = () => {
    this.#flushing = false;
    this.#native.flush();
    this.#drain();
  };

  constructor(listener: CompletionListener) {
    this.#listener = listener;
    this.#native = addon.createFrontEnd(
      () => this.#drain(),
      this.#records,
      this.#outbox,
      this.scanned,
    );
  }

  /** Copies a part of a body. @returns 0, or a refusal of {@link Admission}; the ticket is free then */
  append(ticket: number, owner: number, chunk: ArrayBuffer): number {
    this.#flushLater();
    return this.#native.append(ticket, owner, chunk);
  }

  /**
   * Copies a body's last part and queues the request.
   *
   * @param endpoint an {@link Endpoint}'s number, or {@link routeByBody}
   * @returns the deployment's handle, or a refusal of {@link Admission}; the ticket is free then
   */
  submit(ticket: number, owner: number, endpoint: number, chunk: ArrayBuffer): number {
    this.#flushLater();
    return this.#native.submit(ticket, owner, endpoint, chunk);
  }

  /**
   * Sets priority and timeout of the request that is submitted or opened next. They count before those in
   * its body.
   *
   * @param priority from 1, the most urgent, to 9; 0 for none
   * @param timeoutMs until its deadline; 0 for none
   * @param isFrame its body is a binary frame, whose deployment the caller names
   */
  setEnvelope(priority: number, timeoutMs: number, isFrame: boolean): void {
    this.#native.setEnvelope(priority, timeoutMs, isFrame);
  }

  /** Sets what logs call the request that is submitted or opened next. */
  setRequestId(requestId: string): void {
    this.#native.setRequestId(requestId);
  }

  /** The expected wait, in milliseconds, of the request that was refused last with `Admission.shed`. */
  get shedWaitMs(): number {
    return this.#native.shedWaitMs();
  }

  /** Drops a body that never became whole. */
  discard(ticket: number): void {
    this.#native.discard(ticket);
  }

  /** The client has gone. False where the completion is on its way already. */
  cancel(ticket: number): boolean {
    return this.#native.cancel(ticket);
  }

  /**
   * Reads what a frame asks of the connection into {@link scanned}.
   *
   * @returns a {@link FrameFault}; what was read before the fault is in `scanned` all the same
   */
  scanFrame(frame: ArrayBuffer, isBinary: boolean): number {
    return this.#native.scanFrame(frame, isBinary);
  }

  /** Queues the frame that was scanned last; the same bytes must be given. @returns as `submit` does */
  submitFrame(ticket: number, owner: number, frame: ArrayBuffer): number {
    this.#flushLater();
    return this.#native.submitFrame(ticket, owner, frame);
  }

  /**
   * Copies a body's last part and opens a stream with it.
   *
   * @returns the deployment's handle, or a refusal of {@link Admission}; the ticket is free then, except
   *   at `noStreams`: then the body is kept, and may still be submitted with an empty chunk
   */
  openStream(ticket: number, owner: number, endpoint: number, chunk: ArrayBuffer): number {
    this.#flushLater();
    return this.#native.openStream(ticket, owner, endpoint, chunk);
  }

  /** Opens a stream with the frame that was scanned last. @returns as `openStream` does */
  openFrameStream(ticket: number, owner: number, frame: ArrayBuffer): number {
    this.#flushLater();
    return this.#native.openFrameStream(ticket, owner, frame);
  }

  /**
   * Hands in a stream's next input, the frame that was scanned last.
   *
   * @returns 1; 0 where no more should come until a completion with `Outcome.room`; or a refusal of
   *   {@link Admission}
   */
  pushInput(ticket: number, owner: number, frame: ArrayBuffer): number {
    this.#flushLater();
    return this.#native.pushInput(ticket, owner, frame);
  }

  /** The stream's input has ended. */
  endInput(ticket: number): void {
    this.#native.endInput(ticket);
  }

  /** While its client does not read, a stream makes no more outputs than are on their way. */
  holdReader(ticket: number, held: boolean): void {
    this.#native.holdReader(ticket, held);
  }

  /** Counts bytes of answers as held by their user, until the client has read them. */
  holdAnswer(owner: number, bytes: number): void {
    this.#native.holdAnswer(owner, bytes);
  }

  /** The client has read so many of the bytes that `holdAnswer` counted, or has gone. */
  releaseAnswer(owner: number, bytes: number): void {
    this.#native.releaseAnswer(owner, bytes);
  }

  /** Stops a stream; none of its completions will come. */
  cancelStream(ticket: number): void {
    this.#native.cancelStream(ticket);
  }

  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(this.#flush);
  }

  #drain(): void {
    const records = this.#records;
    const outbox = this.#outbox.buffer;
    const completion = this.#completion;
    let written: number;
    do {
      written = this.#native.drain();
      const end = Math.abs(written) * CompletionRecord.size;
      for (let at = 0; at < end; at += CompletionRecord.size) {
        const outcome = records[at + CompletionRecord.outcome]!;
        const offset = records[at + CompletionRecord.offset]!;
        const length = records[at + CompletionRecord.length]!;
        completion.ticket = records[at + CompletionRecord.ticket]!;
        completion.outcome = (outcome & ~CompletionFlag.binary) as Outcome;
        completion.isBinary = (outcome & CompletionFlag.binary) !== 0;
        completion.rows = records[at + CompletionRecord.rows]!;
        completion.processingTimeMs = records[at + CompletionRecord.processingUs]! / 1000;
        completion.queueMs = records[at + CompletionRecord.queueUs]! / 1000;
        completion.batchMs = records[at + CompletionRecord.batchUs]! / 1000;
        completion.chargedMs = records[at + CompletionRecord.chargedUs]! / 1000;
        completion.body =
          offset < 0 ? this.#native.takeLarge() : new Uint8Array(outbox, offset, length);
        this.#listener.onCompletion(completion);
      }
      if (end > 0) this.#listener.onDrained?.();
    } while (written < 0);
  }
}

export interface NativeFrontEnd {
  append(ticket: number, owner: number, chunk: ArrayBuffer): number;
  submit(ticket: number, owner: number, endpoint: number, chunk: ArrayBuffer): number;
  setEnvelope(priority: number, timeoutMs: number, isFrame: boolean): void;
  setRequestId(requestId: string): void;
  shedWaitMs(): number;
  flush(): void;
  discard(ticket: number): void;
  cancel(ticket: number): boolean;
  /** How many records it wrote; the negative of that where more wait. */
  drain(): number;
  /** The last record's answer, where its offset is below zero. */
  takeLarge(): ArrayBuffer;
  holdAnswer(owner: number, bytes: number): void;
  releaseAnswer(owner: number, bytes: number): void;
  scanFrame(frame: ArrayBuffer, isBinary: boolean): number;
  submitFrame(ticket: number, owner: number, frame: ArrayBuffer): number;
  openStream(ticket: number, owner: number, endpoint: number, chunk: ArrayBuffer): number;
  openFrameStream(ticket: number, owner: number, frame: ArrayBuffer): number;
  pushInput(ticket: number, owner: number, frame: ArrayBuffer): number;
  endInput(ticket: number): void;
  holdReader(ticket: number, held: boolean): void;
  cancelStream(ticket: number): void;
}
