import { afterAll } from 'vitest';
import WebSocket from 'ws';
import type { ServerProcess } from './serverProcess.js';

const open = new Set<SocketClient>();

afterAll(() => {
  for (const client of open) client.terminate();
});

/** A frame from the server, read; a binary frame's tensors as they lie behind its header. */
export interface Received {
  id: unknown;
  seq?: number;
  predictions?: unknown;
  metadata?: Record<string, unknown>;
  done?: boolean;
  processingTimeMs?: number;
  error?: { code: string; detail: string; path?: string };
  tensors?: { name?: string; type: string; dims: number[] }[];
  bytes?: Buffer;
  /** Where in the frame they begin. */
  bytesFrom?: number;
}

export interface TensorFrame extends Record<string, unknown> {
  tensors: { name?: string; type: string; dims: number[] }[];
}

/** Talks to a server over one WebSocket. */
export class SocketClient {
  readonly socket: WebSocket;
  /** The close code, when it is closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #received = new Map<unknown, Received[]>();
  readonly #waiters = new Map<unknown, (frame: Received) => void>();
  #nextId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        open.delete(this);
        resolve({ code, reason: reason.toString() });
      });
    });
    socket.on('error', () => {});
    socket.on('message', (bytes, isBinary) => this.#onMessage(bytes as Buffer, isBinary));
    open.add(this);
  }

  /**
   * @param key the admin's where it is left out
   * @param options `anonymous` sends no key; `protocols` are offered as subprotocols
   */
  static async open(
    server: ServerProcess,
    key: string | undefined = server.adminKey,
    { anonymous = false, protocols = [] as string[] } = {},
  ): Promise<SocketClient> {
    const headers = anonymous ? {} : { authorization: `Bearer ${key}` };
    const url = `${server.url.replace('http', 'ws')}/predict`;
    const socket = new WebSocket(url, protocols, { headers });
    const client = new SocketClient(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** A binary frame with this header and the bytes of its tensors. */
  sendTensors(header: TensorFrame, ...parts: ArrayBufferView[]): void {
    this.socket.send(binaryFrame(header, ...parts));
  }

  /** The next frame with this id. */
  next(id: unknown): Promise<Received> {
    const frame = this.#received.get(id)?.shift();
    if (frame) return Promise.resolve(frame);
    return new Promise((resolve) => this.#waiters.set(id, resolve));
  }

  /** How many frames with this id have come that nobody asked for yet. */
  waiting(id: unknown): number {
    return this.#received.get(id)?.length ?? 0;
  }

  /** The frames with this id up to the last, which is `done` or an `error`. */
  async rest(id: unknown): Promise<Received[]> {
    const frames: Received[] = [];
    for (;;) {
      const frame = await this.next(id);
      frames.push(frame);
      if (frame.done || frame.error) return frames;
    }
  }

  /** A request that must be answered. */
  async predicted(
    deploymentId: string,
    data: unknown,
    options?: Record<string, unknown>,
  ): Promise<Received> {
    const id = `call ${this.#nextId++}`;
    this.send({ id, deploymentId, data, options });
    const frame = await this.next(id);
    if (!frame.done) throw new Error(`No prediction came: ${JSON.stringify(frame)}`);
    return frame;
  }

  /** Resolves when the server has heard all that was sent. */
  heard(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('pong', () => resolve());
      this.socket.ping();
    });
  }

  /** In order. */
  close(): Promise<{ code: number; reason: string }> {
    this.socket.close();
    return this.closed;
  }

  /** Without a word. */
  terminate(): void {
    this.socket.terminate();
  }

  #onMessage(bytes: Buffer, isBinary: boolean): void {
    const frame = isBinary ? readBinary(bytes) : (JSON.parse(bytes.toString()) as Received);
    const waiter = this.#waiters.get(frame.id);
    this.#waiters.delete(frame.id);
    if (waiter) waiter(frame);
    else this.#received.set(frame.id, [...(this.#received.get(frame.id) ?? []), frame]);
  }
}

export function binaryFrame(header: unknown, ...parts: ArrayBufferView[]): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const bytes = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  return Buffer.concat([length, text, ...bytes]);
}

function readBinary(frame: Buffer): Received {
  const length = frame.readUInt32LE(0);
  const header = JSON.parse(frame.subarray(4, 4 + length).toString()) as Received;
  const bytesFrom = 4 + length;
  return { ...header, bytes: Buffer.from(frame.subarray(bytesFrom)), bytesFrom };
}

/** The numbers in a binary answer's bytes. */
export function floats(bytes: Buffer | undefined): number[] {
  const copy = Uint8Array.from(bytes ?? []);
  return [...new Float32Array(copy.buffer)];
}
