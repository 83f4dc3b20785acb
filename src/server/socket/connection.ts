import type { WebSocket } from 'uWebSockets.js';
import type { Principal } from '../../auth/principal.js';
import type { CloudEasyMLError } from '../../errors.js';
import type { SocketCall } from './socketCall.js';
import type { SocketFlow } from './socketFlow.js';

/** A WebSocket's user data. */
export interface SocketData {
  connection: Connection;
}

/** Codes of RFC 6455 that the server closes with. */
export const CloseCode = { goingAway: 1001, policy: 1008 } as const;

interface OutgoingFrame {
  body: Uint8Array | ArrayBuffer | string;
  isBinary: boolean;
}

/** One WebSocket: what is in flight on it, what waits to be sent, and whether it is being read from. */
export class Connection {
  /** By the id that the client gave. */
  readonly calls = new Map<string, SocketCall>();
  /** Undefined until its client has sent a key. */
  principal: Principal | undefined;
  readonly isWide: boolean;
  /** When it was opened, in milliseconds of `performance.now()`. */
  readonly openedAt = performance.now();
  /** The engine must be told when its client reads again. */
  isBehind = false;
  /** Streams whose inputs the engine does not take for now. */
  heldWriters = 0;
  /** Pings since the last tick. */
  pings = 0;
  /** Frames in a row that were wrong. */
  wrongFrames = 0;
  /** Unread bytes that the engine counts as held by its user. */
  heldBytes = 0;
  isOpen = false;
  readonly #flow: SocketFlow;
  #socket: WebSocket<SocketData> | undefined;
  #isPaused = false;
  #frames: OutgoingFrame[] = [];
  readonly #writeAll = () => {
    const socket = this.#socket!;
    for (const { body, isBinary } of this.#frames) socket.send(body, isBinary);
  };

  /** @param isWide it takes frames up to the server's `bodyLimit` */
  constructor(flow: SocketFlow, principal: Principal | undefined, isWide: boolean) {
    this.#flow = flow;
    this.principal = principal;
    this.isWide = isWide;
  }

  /** The client's address, as text. */
  get address(): string {
    return this.#socket ? Buffer.from(this.#socket.getRemoteAddressAsText()).toString() : '';
  }

  opened(socket: WebSocket<SocketData>): void {
    this.#socket = socket;
    this.isOpen = true;
  }

  closed(): void {
    this.isOpen = false;
    this.#socket = undefined;
    this.#frames = [];
  }

  /** Bytes that its client has not read. */
  get unreadBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  /** Queues a frame whose bytes last until `flush()`. @returns true where it is the first since then */
  queue(body: Uint8Array | ArrayBuffer, isBinary: boolean): boolean {
    return this.#frames.push({ body, isBinary }) === 1;
  }

  /** Sends what is queued, in one write where it is little. */
  flush(): void {
    if (this.#frames.length === 0 || !this.#socket) return;
    this.#socket.cork(this.#writeAll);
    this.#frames.length = 0;
    this.#wrote();
  }

  /**
   * Tells the client of an error, which ends its id.
   *
   * @param id JSON text; `null` where the frame had none
   */
  sendError(id: string, error: CloudEasyMLError): void {
    const { code, message, path } = error;
    const detail = withoutPath(message, path);
    const shown = JSON.stringify({ code, detail, ...(path && { path }) });
    this.#socket?.send(`{"id":${id},"error":${shown}}`);
    this.#wrote();
  }

  /** Reads from the socket, or not, as its streams allow. */
  regulate(): void {
    const mustPause = this.heldWriters > 0;
    if (mustPause === this.#isPaused || !this.#socket) return;
    if (!mustPause) this.#flow.resume(this.#socket);
    else if (this.unreadBytes === 0) this.#flow.pause(this.#socket);
    // What waits to be sent would wait for ever; `drained()` comes when it has gone.
    else return;
    this.#isPaused = mustPause;
  }

  /** Its client has read what had to wait. */
  drained(): void {
    // A socket that is paused would not have said so.
    this.#isPaused = false;
  }

  #wrote(): void {
    // A write that does not go out at once has the socket read again.
    if (this.#isPaused && this.unreadBytes > 0) this.#isPaused = false;
  }

  /** Closes it for a reason that its client is told. */
  end(code: number, reason: string): void {
    this.#socket?.end(code, reason);
  }

  /** Closes it without a frame: too much waits to be sent before one. */
  close(): void {
    this.#socket?.close();
  }

  /** Closes it because of its key. */
  refuse(error: CloudEasyMLError): void {
    this.sendError('null', error);
    this.end(CloseCode.policy, error.code);
  }
}

/** A message that begins with the path, as a problem document's detail does, without it. */
function withoutPath(message: string, path: string | undefined): string {
  if (!path || !message.startsWith(`${path}: `)) return message;
  const rest = message.slice(path.length + 2);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}
