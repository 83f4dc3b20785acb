import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js';
import type { Principal } from '../../auth/principal.js';
import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import { CloudEasyMLError } from '../../errors.js';
import type { RequestAccounts } from '../../usage/requestAccounts.js';
import { Exchange } from '../http/exchange.js';
import type { Pipeline } from '../http/pipeline.js';
import { draining, keyEnded } from '../predict/refusals.js';
import { CloseCode, Connection, type SocketData } from './connection.js';
import { closedTimes, SocketCalls, type SocketLimits } from './socketCalls.js';
import { SocketFlow } from './socketFlow.js';
import { authorizationOf, subprotocol } from './subprotocol.js';

/** A frame this much over `bodyLimit` still gets an error frame; a larger one resets the connection. */
const refusedBytes = 64 * 1024;
/** How long a client may take to send its key. */
const authMs = 10_000;
/** Sockets hold the parts of a frame that is not whole yet, so what clients without a key may send is small. */
const maxStrangers = 64;
const strangerFrameBytes = 1024 * 1024;
const tickMs = 1_000;

/** `ws://host/predict`: many requests and streams on one connection. */
export class SocketServer {
  readonly #pipeline: Pipeline;
  readonly #limits: SocketLimits;
  readonly #calls: SocketCalls;
  readonly #connections = new Set<Connection>();
  readonly #ticker: NodeJS.Timeout;
  #strangers = 0;

  constructor(
    pipeline: Pipeline,
    deployments: DeploymentManager,
    accounts: RequestAccounts,
    limits: SocketLimits,
  ) {
    this.#pipeline = pipeline;
    this.#limits = limits;
    this.#calls = new SocketCalls(
      pipeline.services,
      deployments,
      accounts,
      limits,
      (connection) => {
        if (this.#isDraining) this.#sendAway(connection);
      },
    );
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#ticker.unref();
  }

  /** Requests and streams that have not ended. */
  get inFlight(): number {
    return this.#calls.inFlight;
  }

  /**
   * Has the app take WebSockets at a path. How large frames may be is a matter of the context that a connection
   * is upgraded to, so there are two: the first is for those who say their key in the handshake.
   */
  register(app: TemplatedApp, path: string): void {
    const { bodyLimit } = this.#pipeline.services.limits;
    this.#registerContext(app, path, bodyLimit + refusedBytes, (res, req, context) => {
      const authorization = authorizationOf(req);
      if (authorization === '') req.setYield(true);
      else this.#upgradeKnown(res, req, context, authorization);
    });
    this.#registerContext(app, '/*', strangerFrameBytes, (res, req, context) => {
      if (req.getUrl() === path) this.#upgradeStranger(res, req, context);
      else req.setYield(true);
    });
  }

  /** Closes what is idle; the rest closes as it ends. */
  drain(): void {
    for (const connection of [...this.#connections]) {
      if (connection.calls.size === 0) this.#sendAway(connection);
    }
  }

  /** Ends what is still open, at the end of a shutdown. */
  close(): void {
    clearInterval(this.#ticker);
    for (const connection of [...this.#connections]) {
      this.#calls.dropAll(connection, draining());
      this.#sendAway(connection);
    }
  }

  /** Closes the connections of a key that was revoked or has expired. */
  dismiss(principal: Principal): void {
    for (const connection of [...this.#connections]) {
      if (connection.principal !== principal) continue;
      const ended = keyEnded();
      this.#calls.dropAll(connection, ended);
      connection.refuse(ended);
    }
  }

  get #isDraining(): boolean {
    return this.#pipeline.services.readiness() === 'draining';
  }

  #registerContext(
    app: TemplatedApp,
    pattern: string,
    maxPayloadLength: number,
    upgrade: (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void,
  ): void {
    app.ws<SocketData>(pattern, {
      maxPayloadLength: Math.min(maxPayloadLength, 2 ** 31 - 1),
      idleTimeout: this.#pipeline.services.limits.idleTimeout,
      // What answers and pongs a client leaves unread.
      maxBackpressure: this.#limits.maxBufferedBytes * closedTimes,
      closeOnBackpressureLimit: 1,
      sendPingsAutomatically: true,
      upgrade,
      open: (socket) => {
        const { connection } = socket.getUserData();
        connection.opened(socket);
        this.#connections.add(connection);
        if (this.#isDraining) this.#sendAway(connection);
      },
      message: (socket, frame, isBinary) => {
        this.#onMessage(socket.getUserData().connection, frame, isBinary);
      },
      drain: (socket) => {
        const { connection } = socket.getUserData();
        connection.drained();
        this.#calls.regulate(connection);
      },
      close: (socket) => this.#closed(socket.getUserData().connection),
    });
  }

  #upgradeKnown(
    res: HttpResponse,
    req: HttpRequest,
    context: us_socket_context_t,
    authorization: string,
  ): void {
    const exchange = this.#handshake(res, req);
    try {
      if (this.#isDraining) throw draining();
      const principal = this.#principalOf(authorization, exchange);
      this.#requireRoom(principal);
      this.#accept(res, req, context, principal);
      principal.sockets++;
    } catch (error) {
      this.#pipeline.refuse(exchange, error);
    }
  }

  #upgradeStranger(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const exchange = this.#handshake(res, req);
    try {
      if (this.#isDraining) throw draining();
      if (this.#strangers >= maxStrangers) throw tooManyStrangers();
      this.#accept(res, req, context, undefined);
      this.#strangers++;
    } catch (error) {
      this.#pipeline.refuse(exchange, error);
    }
  }

  #handshake(res: HttpResponse, req: HttpRequest): Exchange {
    const exchange = new Exchange(silent, this.#pipeline);
    this.#pipeline.begin(exchange, res, req, 'public');
    return exchange;
  }

  #accept(
    res: HttpResponse,
    req: HttpRequest,
    context: us_socket_context_t,
    principal: Principal | undefined,
  ): void {
    if (this.#connections.size >= this.#limits.maxSockets) throw tooManySockets();
    res.upgrade<SocketData>(
      { connection: new Connection(new SocketFlow(res), principal) },
      req.getHeader('sec-websocket-key'),
      subprotocol(req.getHeader('sec-websocket-protocol')),
      req.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #principalOf(authorization: string, exchange: Exchange): Principal {
    const { keys } = this.#pipeline.services;
    const principal = keys.authenticate(authorization, exchange);
    requirePredict(principal);
    return principal;
  }

  #onMessage(connection: Connection, frame: ArrayBuffer, isBinary: boolean): void {
    const { principal } = connection;
    if (principal) this.#calls.onMessage(connection, principal, frame, isBinary);
    else this.#admit(connection, frame, isBinary);
  }

  /** The first frame of a client that could not send a header. */
  #admit(connection: Connection, frame: ArrayBuffer, isBinary: boolean): void {
    try {
      const key = isBinary ? undefined : keyOf(frame);
      if (key === undefined) throw keyMissing();
      const principal = this.#pipeline.services.keys.authenticate(`Bearer ${key}`, connection);
      requirePredict(principal);
      this.#requireRoom(principal);
      principal.sockets++;
      connection.principal = principal;
      this.#strangers--;
    } catch (error) {
      connection.refuse(error as CloudEasyMLError);
    }
  }

  #requireRoom({ sockets }: Principal): void {
    if (sockets >= this.#limits.maxSocketsPerKey) {
      const most = `As many WebSockets are open with the key as maxSocketsPerKey allows, ${this.#limits.maxSocketsPerKey}.`;
      throw new CloudEasyMLError('overloaded', most);
    }
  }

  #closed(connection: Connection): void {
    connection.closed();
    if (connection.principal) connection.principal.sockets--;
    else this.#strangers--;
    this.#connections.delete(connection);
    this.#calls.abandonAll(connection);
  }

  #sendAway(connection: Connection): void {
    connection.end(CloseCode.goingAway, 'The server is shutting down.');
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

/** A handshake's answer needs nobody's attention. */
const silent = { onBody() {}, onCut() {}, onGone() {}, onAnswered() {} };

/** The key in a first frame, `{"auth": "<key>"}`. */
function keyOf(frame: ArrayBuffer): string | undefined {
  if (frame.byteLength > 4096) return undefined;
  try {
    const { auth } = JSON.parse(Buffer.from(frame).toString());
    return typeof auth === 'string' ? auth : undefined;
  } catch {
    return undefined;
  }
}

function requirePredict(principal: Principal): void {
  if (principal.may('predict')) return;
  throw new CloudEasyMLError('forbidden', 'The API key lacks the permission "predict".');
}

function keyMissing(): CloudEasyMLError {
  return new CloudEasyMLError(
    'key_missing',
    'Expected {"auth": "<key>"} as the first frame, or an Authorization header.',
  );
}

function tooManyStrangers(): CloudEasyMLError {
  return new CloudEasyMLError(
    'overloaded',
    'Too many connections have not said which key is theirs; send an Authorization header, or try again.',
  );
}

function tooManySockets(): CloudEasyMLError {
  return new CloudEasyMLError('overloaded', 'As many WebSockets are open as the server can have.');
}
