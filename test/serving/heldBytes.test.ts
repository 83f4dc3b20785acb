import { beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { unreadRequest } from '../support/rawRequest.js';
import { repeating } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

const mebibyte = 1024 * 1024;
const ofUser =
  /^The server holds as many bytes of the user[’']s requests and unread answers as one user may have/;
const ofServer =
  /^The server holds as many bytes of requests and unread answers as its maxHeldBytes/;

let plugins: string;

beforeAll(async () => {
  plugins = await pluginFolder(['gated'], { repeating: { model: repeating() } });
});

const startServer = (maxHeldBytes: number) =>
  ServerProcess.start({
    plugins: [plugins],
    workers: 1,
    env: { CLOUDEASYML_MAX_HELD_BYTES: String(maxHeldBytes) },
  });

function isRefusal({ status, json }: Answer, detail: RegExp): boolean {
  const problem = json as { code: string; detail: string };
  return status === 503 && problem.code === 'overloaded' && detail.test(problem.detail);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('the bytes of requests', () => {
  it('are bounded for each user and in all, and free again when the requests end', async () => {
    const server = await startServer(16 * mebibyte);
    const gate = await Gate.start();
    const repeat = await server.admin.deploy('repeating');
    const frame = (id: number, deploymentId: string) => {
      return { id, deploymentId, data: 'held', options: { padding: 'x'.repeat(1.9 * mebibyte) } };
    };
    const open = async (name: string) => {
      const user = await server.user(name, { permissions: ['predict', 'deploy'] });
      const serving = { maxBatchSize: 1, timeoutMs: 1_000_000 };
      const gated = await user.deploy('gated', { gate: gate.url, serving });
      return { user, gated, socket: await SocketClient.open(server, user.key) };
    };
    const callers = await Promise.all(['ada', 'bob', 'cyd', 'dot'].map(open));
    for (const { socket, gated } of callers) {
      for (const id of [1, 2, 3]) socket.send(frame(id, gated));
      const { error } = await socket.next(3);
      expect(error).toMatchObject({ code: 'overloaded', detail: expect.stringMatching(ofUser) });
    }
    const [ada] = callers;
    const overHttp = await ada!.user.send('POST', '/predict', { json: frame(0, ada!.gated) });
    expect(isRefusal(overHttp, ofUser)).toBe(true);
    const eve = await open('eve');
    eve.socket.send(frame(1, eve.gated));
    const { error } = await eve.socket.next(1);
    expect(error).toMatchObject({ code: 'overloaded', detail: expect.stringMatching(ofServer) });
    expect((await server.admin.predicted(repeat, 1)).predictions).toEqual([0.1234567]);
    gate.openWide();
    for (const { socket } of callers) {
      for (const id of [1, 2]) expect(await socket.next(id)).toMatchObject({ done: true });
    }
    eve.socket.send(frame(2, eve.gated));
    expect(await eve.socket.next(2)).toMatchObject({ done: true });
  });
});

describe('the bytes of answers that nobody reads', () => {
  const elements = 2 * mebibyte;
  let server: ServerProcess;
  let user: HttpClient;
  let repeat: string;
  let ofAdmin: string;

  beforeAll(async () => {
    server = await startServer(128 * mebibyte);
    user = await server.user('ada', { permissions: ['predict', 'deploy'] });
    repeat = await user.deploy('repeating');
    ofAdmin = await server.admin.deploy('repeating');
  });

  const ask = () => user.predict(repeat, elements);

  it('count for their user over HTTP, until the client has gone', async () => {
    const unread = await unreadRequest(user, { deploymentId: repeat, data: elements });
    expect(isRefusal(await ask(), ofUser)).toBe(true);
    expect((await user.predict(repeat, 1)).status).toBe(200);
    expect((await server.admin.predict(ofAdmin, elements)).status).toBe(200);
    unread.destroy();
    await until(async () => (await ask()).status === 200);
  });

  it('count over WebSockets, too', async () => {
    const socket = await SocketClient.open(server, user.key);
    socket.socket.pause();
    socket.send({ id: 1, deploymentId: repeat, data: elements });
    await until(async () => isRefusal(await ask(), ofUser));
    expect((await user.predict(repeat, 1)).status).toBe(200);
    socket.terminate();
    await until(async () => (await ask()).status === 200);
  });

  it('keep memory within the bound, however many ask', async () => {
    const before = server.residentBytes;
    const unread = await Promise.all(
      Array.from({ length: 24 }, () =>
        unreadRequest(user, { deploymentId: repeat, data: elements }),
      ),
    );
    expect((await server.admin.predict(ofAdmin, 1)).status).toBe(200);
    expect(server.residentBytes - before).toBeLessThan(128 * mebibyte);
    for (const socket of unread) socket.destroy();
    await until(async () => (await ask()).status === 200);
  });
});
