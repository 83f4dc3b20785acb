import http from 'node:http';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

const hanging = { data: 1, options: { mode: 'hang' } };
const dayMs = 86_400_000;

let server: ServerProcess;
let user: HttpClient;
let streams: string;
beforeAll(async () => {
  const plugins = await pluginFolder(['streams']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
});
beforeEach(async () => {
  user = await server.user('ada');
  streams = await user.deploy('streams');
});

const revoke = ({ key }: HttpClient) =>
  server.admin.send('DELETE', `/api-keys/${key!.split('_')[1]}`);

/** Begins a stream of events. @returns what ends with all its text, once it has begun */
function openEvents(key: string): Promise<{ text: Promise<string> }> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${key}` };
    const url = `${server.url}/predict/${streams}`;
    const request = http.request(url, { method: 'POST', headers }, (response) => {
      const text = new Promise<string>((whole) => {
        let received = '';
        response.on('data', (chunk) => {
          received += chunk;
          if (received.includes('hanging')) resolve({ text });
        });
        response.on('end', () => whole(received));
      });
    });
    request.on('error', reject);
    request.end(JSON.stringify(hanging));
  });
}

async function openSocket(key: string): Promise<SocketClient> {
  const socket = await SocketClient.open(server, key);
  socket.send({ id: 'stream', deploymentId: streams, stream: true, ...hanging });
  expect(await socket.next('stream')).toMatchObject({ predictions: 'hanging' });
  return socket;
}

/** It was told so, and its plugin’s code ends. */
async function expectEnded(socket: SocketClient): Promise<void> {
  expect((await socket.next('stream')).error).toMatchObject({ code: 'key_invalid' });
  expect((await socket.next(null)).error).toMatchObject({ code: 'key_invalid' });
  expect(await socket.closed).toEqual({ code: 1008, reason: 'key_invalid' });
}

const counts = async () =>
  (await server.admin.predicted(streams, 'counts')).predictions as { begun: number; ended: number };

describe('a key that is revoked', () => {
  it('ends its open streams of events and its WebSockets, idle ones included, and no other’s', async () => {
    const other = await server.user('ada');
    const [events, socket, idle] = [
      await openEvents(user.key!),
      await openSocket(user.key!),
      await SocketClient.open(server, user.key),
    ];
    const [otherEvents, otherSocket] = [await openEvents(other.key!), await openSocket(other.key!)];
    const byFrame = await SocketClient.open(server, undefined, { anonymous: true });
    byFrame.send({ auth: user.key });
    await byFrame.predicted(streams, 1);

    expect((await revoke(user)).status).toBe(200);
    const text = await events.text;
    expect(text).toMatch(/event: error\ndata: \{"code":"key_invalid","detail":"[^"]+"\}\n\n$/);
    await expectEnded(socket);
    for (const each of [idle, byFrame]) {
      expect((await each.next(null)).error).toMatchObject({ code: 'key_invalid' });
      expect(await each.closed).toEqual({ code: 1008, reason: 'key_invalid' });
    }
    await expect.poll(async () => (await counts()).ended).toBe(2);
    expect((await counts()).begun).toBe(4);

    expect(otherSocket.waiting('stream')).toBe(0);
    await otherSocket.predicted(streams, 'still here');
    expect((await revoke(other)).status).toBe(200);
    await expectEnded(otherSocket);
    expect(await otherEvents.text).toContain('key_invalid');
  });
});

describe('a key that expires', () => {
  it('ends its open streams of events and its WebSockets', async () => {
    // Long enough to begin with it, on a machine that is busy.
    const request = { name: 'soon', userId: 'ada', expiresInDays: 4000 / dayMs };
    const { json } = await server.admin.send('POST', '/api-keys', { json: request });
    const key = (json as { apiKey: string }).apiKey;
    const [events, socket] = [await openEvents(key), await openSocket(key)];
    expect(await events.text).toContain('key_invalid');
    await expectEnded(socket);
  });
});
