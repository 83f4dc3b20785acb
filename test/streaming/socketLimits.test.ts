import { beforeAll, expect, it } from 'vitest';
import { handshake } from '../support/handshake.js';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let users: HttpClient[];
beforeAll(async () => {
  server = await ServerProcess.start({
    plugins: [await pluginFolder(['echo'])],
    workers: 1,
    env: { CLOUDEASYML_MAX_SOCKETS: '7', CLOUDEASYML_MAX_SOCKETS_PER_KEY: '3' },
  });
  users = await Promise.all(['ada', 'bob', 'carl'].map((name) => server.user(name)));
});

const open = ({ key }: HttpClient) => SocketClient.open(server, key);
const refusal = async ({ key }: HttpClient) => {
  const { status, json, socket } = await handshake(server.url, { authorization: `Bearer ${key}` });
  socket?.destroy();
  const { code, detail } = (json ?? {}) as { code?: string; detail?: string };
  return { status, code, detail };
};
const overloaded = (detail: string) => ({
  status: 503,
  code: 'overloaded',
  detail: expect.stringContaining(detail),
});

it('more WebSockets with one key than maxSocketsPerKey are refused, however the key comes', async () => {
  const [ada, bob] = users as [HttpClient, HttpClient];
  const sockets = await Promise.all([open(ada), open(ada)]);
  const byFrame = await SocketClient.open(server, undefined, { anonymous: true });
  byFrame.send({ auth: ada.key });
  await byFrame.heard();
  expect(await refusal(ada)).toEqual(overloaded('maxSocketsPerKey allows, 3'));
  const late = await SocketClient.open(server, undefined, { anonymous: true });
  late.send({ auth: ada.key });
  expect((await late.next(null)).error?.code).toBe('overloaded');
  expect(await late.closed).toEqual({ code: 1008, reason: 'overloaded' });

  // Another key has room of its own; and so has this one when one is closed.
  await (await open(bob)).close();
  await sockets[0]!.close();
  sockets.push(await open(ada));
  expect(await refusal(ada)).toEqual(overloaded('maxSocketsPerKey'));
  await Promise.all([byFrame, ...sockets].map((socket) => socket.close()));
});

it('more WebSockets than maxSockets are refused, those without a key too; all else goes on', async () => {
  const [ada, bob, carl] = users as [HttpClient, HttpClient, HttpClient];
  const sockets = await Promise.all([ada, ada, ada, bob, bob, bob, carl].map(open));
  expect(await refusal(carl)).toEqual(overloaded('As many WebSockets are open'));
  expect((await handshake(server.url)).status).toBe(503);
  expect((await ada.send('GET', '/models')).status).toBe(200);
  const echo = await carl.deploy('echo');
  expect((await sockets.at(-1)!.predicted(echo, 1)).predictions).toBe(1);
  await sockets[0]!.close();
  sockets.push(await open(carl));
  await Promise.all(sockets.map((socket) => socket.close()));
});
