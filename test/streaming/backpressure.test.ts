import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { isSanitized, ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let watcher: SocketClient;
let streams: string;

const mebibyte = 1024 * 1024;
const outputBytes = 64 * 1024;

beforeAll(async () => {
  const plugins = await pluginFolder(['streams']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  streams = await server.admin.deploy('streams');
  watcher = await SocketClient.open(server);
  // What a first burst allocates is not what the tests are about.
  const warm = await SocketClient.open(server);
  warm.send(burst('warm', 500));
  await warm.rest('warm');
  warm.terminate();
});

const burst = (id: unknown, count: number) => ({
  id,
  deploymentId: streams,
  data: 1,
  stream: true,
  end: true,
  options: { mode: 'burst', count, bytes: outputBytes },
});

interface Counts {
  begun: number;
  ended: number;
  yielded: number;
  taken: number;
}

async function counts(): Promise<Counts> {
  return (await watcher.predicted(streams, 'counts')).predictions as Counts;
}

/** Resolves when a figure has stopped growing. */
async function settled(figure: () => Promise<number>): Promise<number> {
  for (let last = -1; ; ) {
    const now = await figure();
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

describe('a client that stops reading', () => {
  it('makes its own stream wait; memory stays, others go on, and nothing is lost', async () => {
    const before = await counts();
    const memory = server.residentBytes;
    const client = await SocketClient.open(server);
    client.socket.pause();
    const total = 1_600; // 100 MB
    client.send(burst('slow', total));
    const yielded = async () => (await counts()).yielded - before.yielded;
    const waiting = await settled(yielded);
    expect(waiting).toBeGreaterThan(0);
    // What its socket's buffers, the connection's and the stream's own take.
    expect(waiting * outputBytes).toBeLessThan(40 * mebibyte);
    if (!isSanitized) expect(server.residentBytes - memory).toBeLessThan(40 * mebibyte);

    const other = await SocketClient.open(server);
    other.send(burst('other', 20));
    expect(await other.rest('other')).toHaveLength(21);

    client.socket.resume();
    const frames = await client.rest('slow');
    expect(frames).toHaveLength(total + 1);
    expect(frames.slice(0, -1).every(({ seq }, i) => seq === i)).toBe(true);
    client.terminate();
  });

  it('may go without reading at all: its stream ends with it', async () => {
    const before = await counts();
    const client = await SocketClient.open(server);
    client.socket.pause();
    client.send(burst('gone', 1_600));
    await settled(async () => (await counts()).yielded);
    client.terminate();
    await expect.poll(async () => (await counts()).ended).toBe(before.ended + 1);
  });

  it('is refused what more it asks for when its answers pile up, and gets those that were made', async () => {
    const client = await SocketClient.open(server);
    client.socket.pause();
    const memory = server.residentBytes;
    const data = 'x'.repeat(outputBytes);
    const total = 800; // 50 MB of requests, and of answers
    for (let id = 0; id < total; id++) client.send({ id, deploymentId: streams, data });
    await settled(async () => client.socket.bufferedAmount);
    if (!isSanitized) expect(server.residentBytes - memory).toBeLessThan(40 * mebibyte);
    client.socket.resume();
    const codes = new Set<string | undefined>();
    for (let id = 0; id < total; id++) {
      const { predictions, error } = await client.next(id);
      codes.add(error?.code);
      if (!error) expect(predictions).toBe(data);
    }
    expect(codes).toEqual(new Set([undefined, 'overloaded']));
    client.terminate();
  });
});

describe('a client that writes faster than its plugin reads', () => {
  it('is made to wait, and none of its inputs is dropped', async () => {
    const before = await counts();
    const client = await SocketClient.open(server);
    const options = { mode: 'drain', everyMs: 2 };
    client.send({ id: 1, deploymentId: streams, stream: true, options });
    const data = 'x'.repeat(outputBytes);
    const total = 800;
    for (let i = 0; i < total; i++) client.send({ id: 1, data, end: i === total - 1 });
    await expect.poll(async () => (await counts()).taken).toBeGreaterThan(before.taken + 5);
    const taken = (await counts()).taken - before.taken;
    // The rest waits on the client's side, but for what the sockets between the two hold.
    const sent = total * outputBytes - client.socket.bufferedAmount;
    expect(sent - taken * outputBytes).toBeLessThan(20 * mebibyte);
    const [output, end] = await client.rest(1);
    expect(output?.predictions).toBe('drained');
    expect(end?.done).toBe(true);
    expect((await counts()).taken - before.taken).toBe(total);
    client.terminate();
  });
});
