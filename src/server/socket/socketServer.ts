import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js';
import type { Principal } from '../../auth/principal.js';
import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import { CloudEasyMLError } from '../../errors.js';
import type { RequestAccounts } from '../../usage/requestAccounts.js';
import { Exchange } from '../exchange.js';
import { draining } from '../refusals.js';
import type { HttpServices } from '../router.js';
import { CloseCode, Connection, type SocketData } from './connection.js';
import { SocketCalls, type SocketLimits } from './socketCalls.js';
import { SocketFlow } from './socketFlow.js';

/** A frame of more than this many times `bodyLimit` resets the connection; smaller ones get an error frame. */
const refusedFrames = 8;
/** How long a client may take to send its key. */
const authMs = 10_000;
/** Frames of clients whose key is not known yet are held by the socket, so these are kept few. */
const maxStrangers = 64;
const tickMs = 1_000;

/** `ws://host/predict`: many requests and streams on one connection. */
export class SocketServer {
  readonly #http: HttpServices;
  readonly #calls: SocketCalls;
  readonly #connections = new Set<Connection>();
  readonly #ticker: NodeJS.Timeout;
  #strangers = 0;

  constructor(
    http: HttpServices,
    deployments: DeploymentManager,
    accounts: RequestAccounts,
    limits: SocketLimits,
  ) {
    this.#http = http;
    this.#calls = new SocketCalls(http, deployments, accounts, limits, (connection) => {
      if (http.readiness() === 'draining') this.#sendAway(connection);
    });
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.#ticker.unref();
  }

  /** Requests and streams that have not ended. */
  get inFlight(): number {
    return this.#calls.inFlight;
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
        this.#onMessage(socket.getUserData().connection, frame, isBinary);
      },
      drain: (socket) => {
        const { connection } = socket.getUserData();
        connection.drained();
        this.#calls.regulate(connection);
      },
      ping: (socket) => this.#calls.onPing(socket.getUserData().connection),
      close: (socket) => this.#closed(socket.getUserData().connection),
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

  #onMessage(connection: Connection, frame: ArrayBuffer, isBinary: boolean): void {
    const { principal } = connection;
    if (principal) this.#calls.onMessage(connection, principal, frame, isBinary);
    else this.#admit(connection, frame, isBinary);
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

  #closed(connection: Connection): void {
    connection.closed();
    if (!connection.principal) this.#strangers--;
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

function tooManyStrangers(): CloudEasyMLError {
  return new CloudEasyMLError(
    'overloaded',
    'Too many connections have not said which key is theirs; send an Authorization header, or try again.',
  );
}
