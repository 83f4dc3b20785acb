import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { Principal } from '../auth/principal.js';
import type { Deployment } from '../deployment/deployment.js';

export const Phase = {
  free: 0,
  /** Its body is arriving. */
  receiving: 1,
  /** The engine has it. */
  queued: 2,
  /** Its client has gone, and its completion is on the way. */
  orphaned: 3,
} as const;

/** What a slot tells of its connection. */
export interface SlotListener {
  onChunk(slot: PredictSlot, chunk: ArrayBuffer, isLast: boolean): void;
  onGone(slot: PredictSlot): void;
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
  /** The handle that the path named, or routeByBody. */
  route = 0;
  deployment: Deployment | undefined;
  /** The client's x-request-id, '' where it sent none. */
  requestIdHeader = '';
  origin = '';
  receivedBytes = 0;
  /** The receiver's clock when the request came, in seconds. */
  startedAt = 0;

  readonly onData: (chunk: ArrayBuffer, isLast: boolean) => void;
  readonly onAborted: () => void;
  readonly #write: () => void;
  #status = 200;
  #headers: Record<string, string> | undefined;
  #body: Uint8Array | ArrayBuffer | string = '';
  #close = false;

  constructor(ticket: number, listener: SlotListener) {
    this.ticket = ticket;
    this.onData = (chunk, isLast) => listener.onChunk(this, chunk, isLast);
    this.onAborted = () => listener.onGone(this);
    this.#write = () => {
      const res = this.res!;
      if (this.#status !== 200) {
        res.writeStatus(`${this.#status} ${STATUS_CODES[this.#status] ?? 'Unknown'}`);
      }
      const headers = this.#headers;
      if (headers) for (const name in headers) res.writeHeader(name, headers[name]!);
      else res.writeHeader('content-type', 'application/json');
      res.end(this.#body, this.#close);
    };
  }

  /** Answers 200 with a JSON body. */
  answer(body: Uint8Array | ArrayBuffer, headers?: Record<string, string>): void {
    this.#status = 200;
    this.#headers = headers;
    this.#body = body;
    this.#close = false;
    this.res!.cork(this.#write);
    this.#body = '';
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
    this.#body = body;
    this.#close = closeConnection;
    this.res!.cork(this.#write);
    this.#body = '';
  }

  clear(): void {
    this.phase = Phase.free;
    this.res = undefined;
    this.principal = undefined;
    this.deployment = undefined;
    this.requestIdHeader = '';
    this.origin = '';
    this.receivedBytes = 0;
  }
}
