import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from 'uWebSockets.js';
import type { Principal } from '../../auth/principal.js';
import type { DeploymentManager } from '../../deployment/deploymentManager.js';
import { CloudEasyMLError } from '../../errors.js';
import type { RequestAccounts } from '../../usage/requestAccounts.js';
import { Exchange } from '../http/exchange.js';
import type { Caller, Pipeline } from '../http/pipeline.js';
import { draining, keyEnded } from '../predict/refusals.js';
import { CloseCode, Connection, type SocketData } from './connection.js';
import { closedTimes, SocketCalls, type SocketLimits } from './socketCalls.js';
import { SocketFlow } from './socketFlow.js';
import { authorizationOf, subprotocol } from './subprotocol.js';

/** A frame this much over `bodyLimit` still gets an error frame; a larger one resets the connection. */
const refusedBytes = 64 * 1024;
/** How long a client may take to send its key. */
const authMs = 10_000;
/** Clients whose key is not known yet. */
const maxStrangers = 64;
/**
 * A frame that is not whole yet lies in memory that nobody can see or free but its client. So only some sockets
 * are wide: they take frames up to `bodyLimit`. The others take frames of at most this many bytes.
 */
const narrowFrameBytes = 256 * 1024;
const wideSocketsPerKey = 32;
/** Bytes that the frames of all wide sockets may have. */
const wideBytes = 2 ** 31;
const tickMs = 1_000;

/** `ws://host/predict`: many requests and streams on one connection. */
export class SocketServer {
  readonly #pipeline: Pipeline;
  readonly #limits: SocketLimits;
  readonly #calls: SocketCalls;
  readonly #connections = new Set<Connection>();
  readonly #ticker: NodeJS.Timeout;
  #strangers = 0;
  #wideSockets = 0;

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
   * is upgraded to, so there are two; a handshake that the first does not take goes on to the second.
   */
  register(app: TemplatedApp, path: string): void {
    const { bodyLimit } = this.#pipeline.services.limits;
    const maxWide = Math.max(wideSocketsPerKey, Math.floor(wideBytes / bodyLimit));
    /** Whom the first context has passed on to the second. */
    let passedOn: Principal | undefined;
    this.#registerContext(app, path, bodyLimit + refusedBytes, (res, req, context) => {
      const authorization = authorizationOf(req);
      if (authorization === '') {
        req.setYield(true);
        return;
      }
      this.#refusing(res, req, () => {
        const principal = this.#principalOf(authorization, addressOf(res));
        if (this.#wideSockets < maxWide && principal.wideSockets < wideSocketsPerKey) {
          this.#accept(res, req, context, new Connection(new SocketFlow(res), principal, true));
        } else {
          passedOn = principal;
          req.setYield(true);
        }
      });
    });
    this.#registerContext(app, '/*', narrowFrameBytes, (res, req, context) => {
      if (req.getUrl() !== path) {
        req.setYield(true);
        return;
      }
      const principal = passedOn;
      passedOn = undefined;
      this.#refusing(res, req, () => {
        if (!principal && this.#strangers >= maxStrangers) throw tooManyStrangers();
        this.#accept(res, req, context, new Connection(new SocketFlow(res), principal, false));
      });
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
      ping: (socket) => this.#calls.onPing(socket.getUserData().connection),
      close: (socket) => this.#closed(socket.getUserData().connection),
    });
  }

  /** Answers a handshake with the error that it ends with. */
  #refusing(res: HttpResponse, req: HttpRequest, upgrade: () => void): void {
    try {
      if (this.#isDraining) throw draining();
      upgrade();
    } catch (error) {
      const exchange = new Exchange(silent, this.#pipeline);
      this.#pipeline.begin(exchange, res, req, 'public');
      this.#pipeline.refuse(exchange, error);
    }
  }

  #accept(
    res: HttpResponse,
    req: HttpRequest,
    context: us_socket_context_t,
    connection: Connection,
  ): void {
    const { principal } = connection;
    if (this.#connections.size >= this.#limits.maxSockets) throw tooManySockets();
    if (principal) this.#count(principal, connection);
    else this.#strangers++;
    res.upgrade<SocketData>(
      { connection },
      req.getHeader('sec-websocket-key'),
      subprotocol(req.getHeader('sec-websocket-protocol')),
      req.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  #count(principal: Principal, { isWide }: Connection): void {
    if (principal.sockets >= this.#limits.maxSocketsPerKey) {
      const most = `As many WebSockets are open with the key as maxSocketsPerKey allows, ${this.#limits.maxSocketsPerKey}.`;
      throw new CloudEasyMLError('overloaded', most);
    }
    principal.sockets++;
    if (!isWide) return;
    principal.wideSockets++;
    this.#wideSockets++;
  }

  #principalOf(authorization: string, caller: Caller): Principal {
    const principal = this.#pipeline.services.keys.authenticate(authorization, caller);
    if (principal.may('predict')) return principal;
    throw new CloudEasyMLError('forbidden', 'The API key lacks the permission "predict".');
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
      const principal = this.#principalOf(`Bearer ${key}`, connection);
      this.#count(principal, connection);
      connection.principal = principal;
      this.#strangers--;
    } catch (error) {
      connection.refuse(error as CloudEasyMLError);
    }
  }

  #closed(connection: Connection): void {
    const { principal, isWide } = connection;
    connection.closed();
    if (principal) principal.sockets--;
    else this.#strangers--;
    if (principal && isWide) {
      principal.wideSockets--;
      this.#wideSockets--;
    }
    this.#connections.delete(connection);
    this.#calls.abandonAll(connection);
  }

  #sendAway(connection: Connection): void {
    connection.end(CloseCode.goingAway, 'The server is shutting down.');
  }

  #tick(): void {
    const latest = performance.now() - authMs;
    for (const connection of this.#connections) {
      connection.pings = 0;
      if (connection.principal || connection.openedAt > latest) continue;
      const late = `No key came within ${authMs / 1000} s.`;
      connection.refuse(new CloudEasyMLError('key_missing', late));
    }
  }
}

/** A handshake's answer needs nobody's attention. */
const silent = { onBody() {}, onCut() {}, onGone() {}, onUnread() {}, onAnswered() {} };

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

/** The address of a client, for whom it concerns. */
function addressOf(res: HttpResponse): Caller {
  return {
    get address() {
      return Buffer.from(res.getRemoteAddressAsText()).toString();
    },
  };
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
