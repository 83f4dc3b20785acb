import {
  type AwkwardModel,
  type AwkwardRequest,
  type Json,
  jsonText,
  singleRowClients,
} from './awkward/awkwardModel.js';
import type { HttpClient } from './httpClient.js';
import { type Nested, type PackedTensor, pack } from './packedTensor.js';
import type { ServerProcess } from './serverProcess.js';
import { type Received, SocketClient } from './socketClient.js';

/** How many clients ask at the same time. */
export const clientCount = 50;
const rounds = 4;

/** What a client got that another way of asking must get, too. */
export interface Reply {
  /** The whole answer but its time. */
  text: string;
  bytes?: Buffer;
}

type Ask = (client: number, request: number) => Promise<Reply>;

/** Clients that each keep an HTTP connection and a WebSocket of their own. */
export class ConcurrentClients {
  readonly #http: readonly HttpClient[];
  readonly #sockets: readonly SocketClient[];
  #calls = 0;

  private constructor(http: readonly HttpClient[], sockets: readonly SocketClient[]) {
    this.#http = http;
    this.#sockets = sockets;
  }

  static async connect(server: ServerProcess): Promise<ConcurrentClients> {
    const clients = Array.from({ length: clientCount });
    const http = clients.map(() => server.admin.as(server.adminKey, 1));
    return new ConcurrentClients(
      http,
      await Promise.all(clients.map(() => SocketClient.open(server))),
    );
  }

  /** JSON over HTTP. */
  overHttp(deploymentId: string, requests: readonly AwkwardRequest[]): Ask {
    return async (client, request) => {
      const body = `{"data":${jsonText(requests[request]!.data)}}`;
      const { status, text } = await this.#http[client]!.send('POST', `/predict/${deploymentId}`, {
        body,
      });
      if (status !== 200) throw new Error(`No prediction came: ${text}`);
      return { text: text.replace(/,"processingTimeMs":[\d.]+\}$/, '}') };
    };
  }

  /** Tensors in binary frames, to and fro. */
  overFrames(deploymentId: string, model: AwkwardModel, requests: readonly AwkwardRequest[]): Ask {
    return async (client, request) => {
      const id = this.#calls++;
      const socket = this.#sockets[client]!;
      const packed = tensorsOf(model, requests[request]!);
      const tensors = packed.map(({ name, type, dims }) => ({ name, type, dims }));
      socket.sendTensors(
        { id, deploymentId, binary: true, tensors },
        ...packed.map(({ bytes }) => bytes),
      );
      const frame = await socket.next(id);
      if (frame.error) throw new Error(`No prediction came: ${JSON.stringify(frame.error)}`);
      return { text: frameText(frame), bytes: frame.bytes };
    };
  }

  /** Every request, by one client after the other. */
  async alone(ask: Ask): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (let client = 0; client < clientCount; client++) replies.push(await ask(client, client));
    return replies;
  }

  /**
   * Every request several times, each time by another client: those of all clients at once, and those of a
   * few, whose batches have only so many rows.
   *
   * @returns the replies that were others than alone, with both
   */
  async differences(ask: Ask, alone: readonly Reply[]): Promise<string[]> {
    const differences: string[] = [];
    const compare = async (client: number, request: number) => {
      const reply = await ask(client, request);
      const expected = alone[request]!;
      if (isSame(reply, expected)) return;
      differences.push(`request ${request}: ${reply.text}\nalone: ${expected.text}`);
    };
    const many = alone.map(async (_, client) => {
      for (let round = 0; round < rounds; round++) {
        await compare(client, (client + 7 * round) % clientCount);
      }
    });
    await Promise.all(many);
    for (const size of [2, 3, 4]) {
      for (let first = 0; first + size <= singleRowClients; first += size) {
        const few = Array.from({ length: size }, (_, i) => compare(i, first + i));
        await Promise.all(few);
      }
    }
    return differences;
  }
}

function isSame(a: Reply, b: Reply): boolean {
  return a.text === b.text && Buffer.compare(a.bytes ?? noBytes, b.bytes ?? noBytes) === 0;
}

const noBytes = Buffer.alloc(0);

function frameText({ predictions, metadata, tensors }: Received): string {
  return JSON.stringify({ predictions, metadata, tensors });
}

/** A value for each name: what stands alone has no names around it. */
function byName(names: readonly string[], value: Json): Record<string, Json> {
  if (names.length !== 1) return value as Record<string, Json>;
  return { [names[0]!]: value };
}

function tensorsOf({ inputs }: AwkwardModel, { data, tensors }: AwkwardRequest) {
  const values = tensors ?? byName(Object.keys(inputs), data);
  return Object.entries(inputs).map(([name, type]) => ({
    name,
    ...pack(type, values[name] as Nested),
  }));
}

/** What the binary answer to a request must hold. */
export function expectedFrame({ outputs }: AwkwardModel, { predictions }: AwkwardRequest) {
  const names = Object.keys(outputs);
  const values = byName(names, predictions);
  const tensors: (PackedTensor & { name: string })[] = [];
  const others: Record<string, Json> = {};
  for (const name of names) {
    const type = outputs[name];
    if (type) tensors.push({ name, ...pack(type, values[name] as Nested) });
    else others[name] = values[name]!;
  }
  const described = tensors.map(({ name, type, dims }) => ({ name, type, dims }));
  return {
    tensors: described,
    predictions: Object.keys(others).length === 0 ? undefined : others,
    bytes: Buffer.concat(tensors.map(({ bytes }) => bytes)),
  };
}
