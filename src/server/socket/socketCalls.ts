import type { Principal } from '../../auth/principal.js';
import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import { FrameAsks, FrameFault, ScannedFrame } from '../../engine/frames.js';
import {
  type Completion,
  type CompletionListener,
  FrontEnd,
  Outcome,
} from '../../engine/frontEnd.js';
import { CloudEasyMLError, errorTable } from '../../errors.js';
import type { RequestAccounts } from '../../usage/requestAccounts.js';
import { bodyTooLarge } from '../http/body.js';
import type { HttpServices } from '../http/pipeline.js';
import { draining, type EngineFailure, keyEnded, refusalError } from '../predict/refusals.js';
import { CloseCode, type Connection } from './connection.js';
import { emptyFrame, frameError, misused, notFound } from './frameErrors.js';
import { SocketCall } from './socketCall.js';

/** Unread bytes are counted as held by their user in steps of so many. */
const countedBytes = 64 * 1024;
/** With this many times maxBufferedBytes unread, a client's new requests are refused. */
const refusedTimes = 4;
/** With this many times that unread, a further request ends the connection. */
export const closedTimes = 64;
/** Pings of a connection within a tick after which it is closed. */
const maxPings = 128;
/** Wrong frames in a row after which a connection is closed. */
const maxWrongFrames = 128;
/** Input beyond what a stream takes, in bytes, that may come until its client can be made to wait. */
const maxOverrun = 16 * 1024 * 1024;

/** What a server allows each WebSocket. */
export interface SocketLimits {
  /** Requests and streams at once. */
  maxInFlight: number;
  /** Bytes that a client may leave unread. */
  maxBufferedBytes: number;
  /** WebSockets in all. */
  maxSockets: number;
  maxSocketsPerKey: number;
}

/**
 * The requests and streams of all WebSockets. Frames go to the engine as they are, but for the few members
 * that concern the connection; what the engine answers are whole frames.
 */
export class SocketCalls implements CompletionListener {
  readonly #http: HttpServices;
  readonly #deployments: DeploymentManager;
  readonly #accounts: RequestAccounts;
  readonly #limits: SocketLimits;
  readonly #onIdle: (connection: Connection) => void;
  readonly #engine: FrontEnd;
  readonly #calls: SocketCall[] = [];
  readonly #free: SocketCall[] = [];
  /** Those that have frames to send. */
  #written: Connection[] = [];

  /** @param onIdle called when nothing is in flight on a connection any more */
  constructor(
    http: HttpServices,
    deployments: DeploymentManager,
    accounts: RequestAccounts,
    limits: SocketLimits,
    onIdle: (connection: Connection) => void,
  ) {
    this.#http = http;
    this.#deployments = deployments;
    this.#accounts = accounts;
    this.#limits = limits;
    this.#onIdle = onIdle;
    this.#engine = new FrontEnd(this);
  }

  /** Requests and streams that have not ended. */
  get inFlight(): number {
    return this.#calls.length - this.#free.length;
  }

  /** Takes a frame of a client whose key is known. */
  onMessage(
    connection: Connection,
    principal: Principal,
    frame: ArrayBuffer,
    isBinary: boolean,
  ): void {
    const { bodyLimit } = this.#http.limits;
    const fault = this.#engine.scanFrame(frame, isBinary);
    const { scanned } = this.#engine;
    const asks = scanned[ScannedFrame.asks]!;
    const length = scanned[ScannedFrame.idLength]!;
    const start = scanned[ScannedFrame.idStart]!;
    const id = length > 0 ? Buffer.from(frame, start, length).toString() : 'null';
    const call = connection.calls.get(id);
    if (frame.byteLength > bodyLimit) {
      this.#refuse(connection, id, call, bodyTooLarge(bodyLimit));
    } else if (fault !== FrameFault.none) {
      this.#refuse(connection, id, call, frameError(fault));
    } else if (asks & FrameAsks.cancel) {
      if (call) this.#drop(call, new CloudEasyMLError('cancelled', 'Its client cancelled it.'));
    } else if (asks & FrameAsks.start) {
      if (call) this.#refuse(connection, id, call, misused('The id is in use.'));
      else this.#begin(connection, principal, id, frame, asks);
    } else if ((asks & (FrameAsks.data | FrameAsks.end)) === 0) {
      this.#refuse(connection, id, call, emptyFrame());
    } else if (!call) {
      connection.sendError(id, notFound());
    } else {
      this.#goOn(connection, call, frame, asks);
    }
  }

  /** Ends the requests and streams of a connection with an error frame each. */
  dropAll(connection: Connection, error: CloudEasyMLError): void {
    for (const call of [...connection.calls.values()]) this.#drop(call, error);
  }

  /** Ends the requests and streams of a connection whose client has gone. */
  abandonAll(connection: Connection): void {
    for (const call of [...connection.calls.values()]) this.#abandon(call);
    this.#countUnread(connection, 0);
  }

  /** Has a connection's streams wait while its client does not read. */
  regulate(connection: Connection): void {
    connection.regulate();
    const unread = connection.unreadBytes;
    this.#countUnread(connection, unread - (unread % countedBytes));
    const most = this.#limits.maxBufferedBytes;
    const isBehind = unread > (connection.isBehind ? most / 2 : most);
    if (isBehind === connection.isBehind) return;
    connection.isBehind = isBehind;
    for (const call of connection.calls.values()) {
      if (call.isStream) this.#engine.holdReader(call.ticket, isBehind);
    }
  }

  /** Closes the connection of a client that does little but send pings: each is answered. */
  onPing(connection: Connection): void {
    if (++connection.pings > maxPings) connection.close();
  }

  onCompletion({ ticket, outcome, rows, chargedMs, body, isBinary }: Completion): void {
    const call = this.#calls[ticket]!;
    const { connection } = call;
    if (!connection) {
      // It was dropped while this was on its way.
      if (call.isOrphaned) this.#release(call);
      return;
    }
    if (outcome === Outcome.room) {
      this.#holdWriter(call, false);
      return;
    }
    if (connection.queue(body, isBinary)) this.#written.push(connection);
    if (outcome === Outcome.output) return;
    const failed = outcome === Outcome.failed;
    if (failed) this.#logFailure(call, body);
    this.#accounts.ended(call.principal!, call.deployment!, failed, rows, chargedMs);
    this.#release(call);
  }

  onDrained(): void {
    const written = this.#written;
    this.#written = [];
    for (const connection of written) {
      connection.flush();
      if (!connection.isOpen) continue;
      this.regulate(connection);
      if (connection.calls.size === 0) this.#onIdle(connection);
    }
  }

  #begin(
    connection: Connection,
    principal: Principal,
    id: string,
    frame: ArrayBuffer,
    asks: number,
  ): void {
    try {
      this.#check(connection, principal);
    } catch (error) {
      if ((error as CloudEasyMLError).code === 'key_invalid') {
        connection.refuse(error as CloudEasyMLError);
      } else {
        connection.sendError(id, error as CloudEasyMLError);
      }
      return;
    }
    const call = this.#free.pop() ?? this.#addCall();
    const owner = principal.caller;
    const isStream = (asks & FrameAsks.stream) !== 0;
    const handle = isStream
      ? this.#engine.openFrameStream(call.ticket, owner, frame)
      : this.#engine.submitFrame(call.ticket, owner, frame);
    if (handle < 0) {
      this.#engine.discard(call.ticket);
      this.#free.push(call);
      const isStarting = this.#http.readiness() === 'starting';
      connection.sendError(id, refusalError(handle, isStarting, this.#engine.shedWaitMs));
      return;
    }
    connection.wrongFrames = 0;
    call.connection = connection;
    call.id = id;
    call.principal = principal;
    call.deployment = this.#deployments.byHandle(handle);
    call.isStream = isStream;
    connection.calls.set(id, call);
    if (isStream && connection.isBehind) this.#engine.holdReader(call.ticket, true);
    if (isStream && asks & FrameAsks.end) this.#endInput(call);
  }

  #check(connection: Connection, principal: Principal): void {
    if (principal.expiresAt <= Date.now()) throw keyEnded();
    if (this.#http.readiness() === 'draining') throw draining();
    principal.admit('predict');
    const unread = connection.unreadBytes / this.#limits.maxBufferedBytes;
    if (unread > refusedTimes) {
      // Each refusal is one more thing that it does not read.
      if (unread > closedTimes) connection.close();
      throw new CloudEasyMLError(
        'overloaded',
        'The client leaves too much unread to ask for more.',
      );
    }
    if (connection.calls.size >= this.#limits.maxInFlight) {
      const most = `As many requests are in flight on the connection as maxInFlight allows, ${this.#limits.maxInFlight}.`;
      throw new CloudEasyMLError('overloaded', most);
    }
  }

  /** Has the engine count what a connection's client has not read. */
  #countUnread(connection: Connection, bytes: number): void {
    const more = bytes - connection.heldBytes;
    if (more === 0 || !connection.principal) return;
    connection.heldBytes = bytes;
    const { caller } = connection.principal;
    if (more > 0) this.#engine.holdAnswer(caller, more);
    else this.#engine.releaseAnswer(caller, -more);
  }

  /** More of a stream's input, or its end. */
  #goOn(connection: Connection, call: SocketCall, frame: ArrayBuffer, asks: number): void {
    if (!call.isStream || call.inputEnded) {
      const why = call.isStream
        ? 'The stream’s input had ended.'
        : 'Input was added to a request that is no stream.';
      this.#refuse(connection, call.id, call, misused(why));
      return;
    }
    if (asks & FrameAsks.data) {
      const taken = this.#engine.pushInput(call.ticket, call.principal!.caller, frame);
      if (taken < 0) {
        this.#drop(call, refusalError(taken));
        return;
      }
      if (taken === 0) this.#holdWriter(call, true);
      if (call.writerHeld) {
        call.overrun += frame.byteLength;
        if (call.overrun > maxOverrun) {
          const why =
            'The stream was sent more than it takes, by a client that does not read its outputs.';
          this.#drop(call, new CloudEasyMLError('overloaded', why));
          return;
        }
      }
    }
    if (asks & FrameAsks.end) this.#endInput(call);
  }

  #endInput(call: SocketCall): void {
    call.inputEnded = true;
    this.#engine.endInput(call.ticket);
  }

  /** A frame was wrong: it ends the id that it named. */
  #refuse(
    connection: Connection,
    id: string,
    call: SocketCall | undefined,
    error: CloudEasyMLError,
  ): void {
    if (call) this.#drop(call, error);
    else connection.sendError(id, error);
    if (++connection.wrongFrames < maxWrongFrames) return;
    connection.end(CloseCode.policy, `${maxWrongFrames} wrong frames came in a row.`);
  }

  /** Ends a call before the engine has, and tells its client. */
  #drop(call: SocketCall, error: CloudEasyMLError): void {
    const { connection, id } = call;
    this.#abandon(call);
    connection?.sendError(id, error);
  }

  /** Cancels a call in the engine. */
  #abandon(call: SocketCall): void {
    this.#accounts.dropped(call.principal!, call.deployment!);
    const isForgotten = call.isStream || this.#engine.cancel(call.ticket);
    if (call.isStream) this.#engine.cancelStream(call.ticket);
    this.#detach(call);
    if (isForgotten) this.#free.push(call);
    else call.isOrphaned = true;
  }

  #release(call: SocketCall): void {
    this.#detach(call);
    this.#free.push(call);
  }

  #detach(call: SocketCall): void {
    if (call.connection) this.#holdWriter(call, false);
    call.connection?.calls.delete(call.id);
    call.clear();
  }

  #addCall(): SocketCall {
    const call = new SocketCall(this.#calls.length);
    this.#calls.push(call);
    return call;
  }

  #holdWriter(call: SocketCall, held: boolean): void {
    if (call.writerHeld === held) return;
    call.writerHeld = held;
    call.overrun = 0;
    const connection = call.connection!;
    connection.heldWriters += held ? 1 : -1;
    connection.regulate();
  }

  #logFailure({ deployment }: SocketCall, body: Uint8Array | ArrayBuffer): void {
    const frame = JSON.parse(Buffer.from(body as ArrayBuffer).toString()) as {
      error: EngineFailure;
    };
    const { code, detail } = frame.error;
    if (errorTable[code].status < 500) return;
    const { deploymentId } = deployment!;
    this.#http.logger.warn({ deploymentId, code, detail }, 'a prediction failed');
  }
}
