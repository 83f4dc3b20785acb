import { expect } from 'vitest';
import type { HttpClient } from './httpClient.js';
import type { ServerProcess } from './serverProcess.js';
import { type Received, SocketClient } from './socketClient.js';

const streamCount = 100;
const lanes = 8;

/** What other users do while a plugin misbehaves: streams that go on, and requests one after the other. */
export class OthersLoad {
  readonly #client: HttpClient;
  readonly #echo: string;
  readonly #socket: SocketClient;
  readonly #requests: Promise<void>;
  #going = true;
  #answered = 0;
  readonly #faults: string[] = [];

  private constructor(client: HttpClient, echo: string, socket: SocketClient) {
    this.#client = client;
    this.#echo = echo;
    this.#socket = socket;
    const all = Array.from({ length: lanes }, (_, lane) => this.#ask(lane));
    this.#requests = Promise.all(all).then(() => {});
  }

  /** @param streams a deployment of the plugin `streams` @param echo one of `echo` */
  static async start(server: ServerProcess, streams: string, echo: string): Promise<OthersLoad> {
    const socket = await SocketClient.open(server);
    for (let id = 0; id < streamCount; id++) {
      const options = { mode: 'echo' };
      socket.send({ id, deploymentId: streams, stream: true, data: 0, options });
    }
    for (let id = 0; id < streamCount; id++) await socket.next(id);
    return new OthersLoad(server.admin, echo, socket);
  }

  /** Has every stream give one more output, ends all of it, and expects that nothing was lost. */
  async stop(): Promise<void> {
    for (let id = 0; id < streamCount; id++) this.#socket.send({ id, data: id, end: true });
    for (let id = 0; id < streamCount; id++) {
      const frames: Received[] = await this.#socket.rest(id);
      expect(frames).toMatchObject([{ predictions: id }, { done: true }]);
    }
    this.#going = false;
    await this.#requests;
    expect(this.#faults).toEqual([]);
    expect(this.#answered).toBeGreaterThan(0);
    await this.#socket.close();
  }

  async #ask(lane: number): Promise<void> {
    for (let number = 0; this.#going; number++) {
      const { status, text } = await this.#client.predict(this.#echo, [lane, number]);
      if (status === 200) this.#answered++;
      else this.#faults.push(text);
    }
  }
}
