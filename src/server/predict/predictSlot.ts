import type { Deployment } from '../../deployment/deployment.js';
import { type AnswerBody, Exchange, type ExchangeListener } from '../http/exchange.js';
import type { Pipeline } from '../http/pipeline.js';
import { eventText, writeEvents } from './eventStream.js';
import type { ForeignBody } from './foreignBody.js';

export const Phase = {
  free: 0,
  /** Its body is arriving. */
  receiving: 1,
  /** Its body is being inflated. */
  inflating: 2,
  /** The engine has it. */
  queued: 3,
  /** Its client has gone, and its completion is on the way. */
  orphaned: 4,
  /** Its answer goes out as its client reads. */
  answering: 5,
  /** Its answer is a sequence of events, and not over. */
  streaming: 6,
} as const;

/** Events of a slot's connection, beside those of every exchange. */
export interface SlotListener extends ExchangeListener {
  /** The client has read what `writeEvent` could not write at once. */
  onReadAgain(slot: PredictSlot): void;
}

/**
 * A prediction request in flight. Slots are used again and again, so a request makes no closures and no
 * garbage.
 */
export class PredictSlot extends Exchange {
  declare readonly listener: SlotListener;
  /** The request's number in the engine. */
  readonly ticket: number;
  phase: (typeof Phase)[keyof typeof Phase] = Phase.free;
  /** The number of the endpoint that the path named, or routeByBody. */
  route = 0;
  /** Priority and timeout from its headers, 0 for none. */
  priority = 0;
  timeoutMs = 0;
  deployment: Deployment | undefined;
  /** The client asked for server-sent events. */
  wantsEvents = false;
  /** A body that JavaScript reads first: compressed, or no JSON. */
  foreign: ForeignBody | undefined;
  /** Bytes of its answer that wait for its client to read. */
  unreadBytes = 0;
  /** The receiver's clock when the last event was written, in seconds. */
  wroteAt = 0;
  /** Its client does not keep up with its events. */
  isHeld = false;
  /** The receiver's clock when that began, in seconds. */
  heldAt = 0;

  constructor(ticket: number, listener: SlotListener, pipeline: Pipeline) {
    super(listener, pipeline);
    this.ticket = ticket;
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
      if (this.phase === Phase.streaming) this.listener.onReadAgain(this);
      return true;
    });
  }

  /** @returns false where the client does not keep up; `onReadAgain` will be called */
  writeEvent(event: string, data: AnswerBody): boolean {
    return writeEvents(this.res!, eventText(event, data));
  }

  /** Writes the last event. */
  endEvents(event: string, data: AnswerBody): void {
    const res = this.res!;
    res.cork(() => {
      res.end(eventText(event, data));
    });
  }

  override clear(): void {
    super.clear();
    this.phase = Phase.free;
    this.deployment = undefined;
    this.foreign = undefined;
    this.wantsEvents = false;
    this.priority = 0;
    this.timeoutMs = 0;
    this.unreadBytes = 0;
    this.isHeld = false;
  }
}
