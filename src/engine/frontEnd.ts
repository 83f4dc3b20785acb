/** A socket thread's side of the engine: requests in, completions out. */
import { addon } from './addon.js';

/** What `submit()` answers below zero. The numbers are the addon's. */
export const Refusal = {
  noDeployment: -1,
  notAccepting: -2,
  queueFull: -3,
  routeAbsent: -4,
  routeNotText: -5,
  routeMalformed: -6,
  tooManyBytes: -7,
  notAnObject: -8,
} as const;

/** Let a request's body say which deployment it is for. */
export const routeByBody = -1;
/** The owner whose requests every deployment takes. */
export const anyOwner = 0xffffffff;

const recordLength = 6;
const maxRecords = 1024;
const outboxBytes = 1 << 20;

/** Who hears of a request's end. The bytes are gone when the call returns. */
export interface CompletionListener {
  /**
   * @param body the response's JSON, or {code, detail, path?} where the request failed
   * @param rows rows of the request's data, 0 where it was never read
   */
  onCompletion(
    ticket: number,
    failed: boolean,
    rows: number,
    processingTimeMs: number,
    body: Uint8Array | ArrayBuffer,
  ): void;
}

/**
 * Hands requests to the engine and their answers back. A ticket is the caller's number for a request: it
 * is in use from the first `append` or `submit` until its completion, or until `submit` refuses it,
 * `discard` or a successful `cancel`.
 */
export class FrontEnd {
  readonly #native: NativeFrontEnd;
  readonly #listener: CompletionListener;
  readonly #records = new Int32Array(maxRecords * recordLength);
  readonly #outbox = new Uint8Array(outboxBytes);
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

  /** @param maxBytes how many bytes of bodies may be held at once */
  constructor(listener: CompletionListener, maxBytes: number) {
    this.#listener = listener;
    this.#native = addon.createFrontEnd(() => this.#drain(), maxBytes, this.#records, this.#outbox);
  }

  /** Copies a part of a body. False where the engine holds too many bytes; the ticket is free then. */
  append(ticket: number, chunk: ArrayBuffer): boolean {
    this.#flushLater();
    return this.#native.append(ticket, chunk);
  }

  /**
   * Copies a body's last part and queues the request.
   *
   * @param deployment a {@link BatchQueue}'s handle, or {@link routeByBody}
   * @returns the deployment's handle, or a {@link Refusal}; the ticket is free then
   */
  submit(ticket: number, owner: number, deployment: number, chunk: ArrayBuffer): number {
    this.#flushLater();
    return this.#native.submit(ticket, owner, deployment, chunk);
  }

  /** Forgets a body that never became whole. */
  discard(ticket: number): void {
    this.#native.discard(ticket);
  }

  /** The client has gone. False where the completion is on its way already. */
  cancel(ticket: number): boolean {
    return this.#native.cancel(ticket);
  }

  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(this.#flush);
  }

  #drain(): void {
    const records = this.#records;
    const outbox = this.#outbox.buffer;
    let written: number;
    do {
      written = this.#native.drain();
      const end = Math.abs(written) * recordLength;
      for (let at = 0; at < end; at += recordLength) {
        const ticket = records[at]!;
        const offset = records[at + 3]!;
        this.#listener.onCompletion(
          ticket,
          records[at + 1] !== 0,
          records[at + 2]!,
          records[at + 5]! / 1000,
          offset < 0
            ? this.#native.takeLarge(ticket)
            : new Uint8Array(outbox, offset, records[at + 4]!),
        );
      }
    } while (written < 0);
  }
}

export interface NativeFrontEnd {
  append(ticket: number, chunk: ArrayBuffer): boolean;
  submit(ticket: number, owner: number, deployment: number, chunk: ArrayBuffer): number;
  flush(): void;
  discard(ticket: number): void;
  cancel(ticket: number): boolean;
  /** How many records it wrote; the negative of that where more wait. */
  drain(): number;
  takeLarge(ticket: number): ArrayBuffer;
}
