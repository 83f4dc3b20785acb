import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js';
import type { Principal } from '../../auth/principal.js';
import { RateLimitedError } from '../../auth/principal.js';
import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import { FrameAsks, FrameFault } from '../../engine/frames.js';
import {
  anyOwner,
  type Completion,
  type CompletionListener,
  FrontEnd,
  Outcome,
} from '../../engine/frontEnd.js';
import { CloudEasyMLError, errorTable } from '../../errors.js';
import type { RequestAccounts } from '../../usage/requestAccounts.js';
import { Exchange } from '../exchange.js';
import { bodyTooLarge } from '../readBody.js';
import { type EngineFailure, refusalError } from '../refusals.js';
import type { HttpServices } from '../router.js';
import { CloseCode, Connection, misused, type SocketData } from './connection.js';
import { emptyFrame, frameError } from './frameErrors.js';
import { SocketCall } from './socketCall.js';
import { SocketFlow } from './socketFlow.js';

/** Bytes of frames that the process holds at once, waiting or being run. */
const maxHeldBytes = 1 << 30;
/** Where uWebSockets.js sees a frame as too large it resets the connection; up to here it is told why. */
const refusedFrames = 8;
/** How long a client may take to say which key is its. */
const authMs = 10_000;
/** Frames of clients whose key is not known yet are held by the socket, so these are kept few. */
const maxStrangers = 64;
const tickMs = 1_000;
/** Where a client leaves so many times maxBufferedBytes unread, what more it asks for is refused. */
const refusedTimes = 4;
/** Where it asks on all the same, so many times as many end the connection. */
const closedTimes = 64;
/** Input beyond what a stream takes, in bytes, that may come until its client can be made to wait. */
const maxOverrun = 16 * 1024 * 1024;

/** What a server allows each WebSocket. */
export interface SocketLimits {
  /** Requests and streams at once. */
  maxInFlight: number;
  /** Bytes that a client may leave unread. */
  maxBufferedBytes: number;
}

/**
 * `ws://host/predict`: many requests and streams on one connection. Frames go to the engine as they are,
 * but for the few members that concern the connection; what the engine answers are whole frames.
 */
export class SocketServer implements CompletionListener {
  readonly #http: HttpServices;
  readonly #deployments: DeploymentManager;
  readonly #accounts: RequestAccounts;
  readonly #limits: SocketLimits;
  readonly #engine: FrontEnd;
  readonly #connections = new Set<Connection>();
  readonly #calls: SocketCall[] = [];
  readonly #free: SocketCall[] = [];
  readonly #ticker: NodeJS.Timeout;
  /** Those that have frames to send. */
  #written: Connection[] = [];
  #strangers = 0;

  constructor(
    http: HttpServices,
    deployments: DeploymentManager,
    accounts: RequestAccounts,
    limits: SocketLimits,
  ) {
    this.#http = http;
    this.#deployments = deployments;
    this.#accounts = accounts;
    this.#limits = limits;
    this.#engine = new FrontEnd(this, maxHeldBytes);
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#ticker.unref();
  }

  /** Requests and streams that have not ended. */
  get inFlight(): number {
    return this.#calls.length - this.#free.length;
  }

  /** Has the app take WebSockets at a path. */
  register(app: TemplatedApp, path: string): void {
    app.ws<SocketData>(path, {
      maxPayloadLength: Math.min(this.#http.limits.bodyLimit * refusedFrames, 2 ** 31 - 1),
      idleTimeout: this.#http.limits.idleTimeout,
      // Without a limit of its own: what is sent is bounded by what is in flight.
      maxBackpressure: 0,
      sendPingsAutomatically: true,
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      open: (socket) => {
        const { connection } = socket.getUserData();
        connection.opened(socket);
        this.#connections.add(connection);
        if (this.#http.readiness() === 'draining') this.#sendAway(connection);
      },
      message: (socket, frame, isBinary) => {
        this.#hear(socket.getUserData().connection, frame, isBinary);
      },
      drain: (socket) => {
        const { connection } = socket.getUserData();
        connection.drained();
        this.#regulate(connection);
      },
      close: (socket) => this.#closed(socket.getUserData().connection),
    });
  }

  /** Closes what is idle; the rest closes as it ends. */
  drain(): void {
    for (const connection of [...this.#connections]) {
      if (connection.calls.size === 0) this.#sendAway(connection);
    }
  }

  /** Ends what is still open: the server has no more time for it. */
  close(): void {
    clearInterval(this.#ticker);
    for (const connection of [...this.#connections]) {
      for (const call of [...connection.calls.values()]) this.#drop(call, draining());
      this.#sendAway(connection);
    }
  }

  onCompletion({ ticket, outcome, rows, processingTimeMs, body, isBinary }: Completion): void {
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
    this.#accounts.ended(call.principal!, call.deployment!, failed, rows, processingTimeMs);
    this.#release(call);
  }

  onDrained(): void {
    const written = this.#written;
    this.#written = [];
    for (const connection of written) {
      connection.flush();
      if (!connection.isOpen) continue;
      this.#regulate(connection);
      if (connection.calls.size === 0 && this.#http.readiness() === 'draining') {
        this.#sendAway(connection);
      }
    }
  }

  #upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const authorization = req.getHeader('authorization');
    let principal: Principal | undefined;
    try {
      if (this.#http.readiness() === 'draining') throw draining();
      if (authorization !== '') principal = this.#http.keys.authenticate(authorization);
      else if (this.#strangers >= maxStrangers) throw tooManyStrangers();
    } catch (error) {
      new Exchange(res, req, this.#http.cors).sendError(error);
      return;
    }
    if (!principal) this.#strangers++;
    res.upgrade<SocketData>(
      { connection: new Connection(new SocketFlow(res), principal) },
      req.getHeader('sec-websocket-key'),
      req.getHeader('sec-websocket-protocol'),
      req.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #hear(connection: Connection, frame: ArrayBuffer, isBinary: boolean): void {
    if (!connection.principal) {
      this.#admit(connection, frame, isBinary);
      return;
    }
    const { bodyLimit } = this.#http.limits;
    if (frame.byteLength > bodyLimit) {
      connection.sendError('null', bodyTooLarge(bodyLimit));
      return;
    }
    const fault = this.#engine.scanFrame(frame, isBinary);
    const [asks, start, length] = this.#engine.scanned as unknown as [number, number, number];
    const id = length > 0 ? Buffer.from(frame, start, length).toString() : 'null';
    const call = connection.calls.get(id);
    if (fault !== FrameFault.none) {
      this.#refuse(connection, id, call, frameError(fault));
    } else if (asks & FrameAsks.cancel) {
      if (call) this.#drop(call, new CloudEasyMLError('cancelled', 'Its client cancelled it.'));
    } else if (asks & FrameAsks.start) {
      if (call) this.#refuse(connection, id, call, misused('The id is in use.'));
      else this.#begin(connection, connection.principal, id, frame, asks);
    } else if ((asks & (FrameAsks.data | FrameAsks.end)) === 0) {
      this.#refuse(connection, id, call, emptyFrame());
    } else if (!call) {
      connection.sendError(id, notFound());
    } else {
      this.#goOn(connection, call, frame, asks);
    }
  }

  /** The first frame of a client that could not send a header. */
  #admit(connection: Connection, frame: ArrayBuffer, isBinary: boolean): void {
    let key: unknown;
    try {
      if (!isBinary && frame.byteLength <= 4096)
        key = JSON.parse(Buffer.from(frame).toString()).auth;
    } catch {
      // No JSON is no key.
    }
    if (typeof key !== 'string') {
      const expected = 'Expected {"auth": "<key>"} as the first frame, or an Authorization header.';
      connection.refuse(new CloudEasyMLError('key_missing', expected));
      return;
    }
    try {
      connection.principal = this.#http.keys.authenticate(`Bearer ${key}`);
      this.#strangers--;
    } catch (error) {
      connection.refuse(error as CloudEasyMLError);
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
    const owner = principal.isAdmin ? anyOwner : principal.userIndex;
    const isStream = (asks & FrameAsks.stream) !== 0;
    const handle = isStream
      ? this.#engine.openFrameStream(call.ticket, owner, frame)
      : this.#engine.submitFrame(call.ticket, owner, frame);
    if (handle < 0) {
      this.#engine.discard(call.ticket);
      this.#free.push(call);
      connection.sendError(id, refusalError(handle, this.#http.readiness() === 'starting'));
      return;
    }
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
    if (principal.expiresAt <= Date.now()) {
      throw new CloudEasyMLError('key_invalid', 'The API key expired or was revoked.');
    }
    if (this.#http.readiness() === 'draining') throw draining();
    const wait = principal.limiter.take(Date.now());
    if (wait > 0) throw new RateLimitedError(wait);
    if (!principal.canPredict) {
      throw new CloudEasyMLError('forbidden', 'The API key lacks the permission "predict".');
    }
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
      const taken = this.#engine.pushInput(call.ticket, frame);
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
  }

  /** Ends a call before the engine has, and tells its client. */
  #drop(call: SocketCall, error: CloudEasyMLError): void {
    const { connection, id } = call;
    this.#abandon(call);
    connection?.sendError(id, error);
  }

  /** Has the engine forget a call. */
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

  /** Has a connection's streams wait while its client does not read. */
  #regulate(connection: Connection): void {
    connection.regulate();
    const unread = connection.unreadBytes;
    const most = this.#limits.maxBufferedBytes;
    const isBehind = unread > (connection.isBehind ? most / 2 : most);
    if (isBehind === connection.isBehind) return;
    connection.isBehind = isBehind;
    for (const call of connection.calls.values()) {
      if (call.isStream) this.#engine.holdReader(call.ticket, isBehind);
    }
  }

  #closed(connection: Connection): void {
    connection.closed();
    if (!connection.principal) this.#strangers--;
    this.#connections.delete(connection);
    for (const call of [...connection.calls.values()]) this.#abandon(call);
  }

  #sendAway(connection: Connection): void {
    connection.end(CloseCode.goingAway, 'The server is shutting down.');
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

  #tick(): void {
    const latest = performance.now() - authMs;
    for (const connection of this.#connections) {
      if (connection.principal || connection.openedAt > latest) continue;
      const late = `No key came within ${authMs / 1000} s.`;
      connection.refuse(new CloudEasyMLError('key_missing', late));
    }
  }
}

function draining(): CloudEasyMLError {
  return new CloudEasyMLError('draining', 'The server is shutting down.');
}

function tooManyStrangers(): CloudEasyMLError {
  return new CloudEasyMLError(
    'overloaded',
    'Too many connections have not said which key is theirs; send an Authorization header, or try again.',
  );
}

function notFound(): CloudEasyMLError {
  return new CloudEasyMLError(
    'stream_not_found',
    'No stream with this id is open on the connection: it has ended, or none was begun.',
  );
}
