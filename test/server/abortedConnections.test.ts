import { beforeAll, describe, expect, it } from 'vitest';
import { LocalServer } from './support/localServer.js';

let server: LocalServer;
let key: string;
beforeAll(async () => {
  server = await LocalServer.start({ requestTimeoutMs: 60_000 });
  key = await server.makeKey();
});

const head = (length: number) =>
  `POST /deployments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${length}\r\n\r\n`;
const body = '{"modelName": "doubler"}';

/**
 * Sends text and goes, politely or not: at once, or when the server has seen the text, which the
 * answer to a request in front of it shows.
 */
function sendAndGo(text: string, rudely: boolean, seen: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = server.connect();
    const go = () => (rudely ? socket.resetAndDestroy() : socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('connect', () => {
      if (!seen) socket.write(text, go);
      else socket.once('data', go).write(`GET /health HTTP/1.1\r\nHost: x\r\n\r\n${text}`);
    });
  });
}

describe('a client that goes', () => {
  it('in the middle of its body leaves nothing behind', async () => {
    const before = server.log.length;
    for (let round = 0; round < 20; round++) {
      await sendAndGo(head(100) + body, round % 2 === 0, true);
    }
    const gone = () =>
      server.log.slice(before).filter((line) => line.includes('"status":"client gone"')).length;
    await expect.poll(gone, { timeout: 10_000 }).toBe(20);
    expect(server.log.slice(before).join('')).not.toContain('unforeseen');
  });

  it('before its answer does not disturb others', async () => {
    const requests = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 0
        ? server.call('POST', '/deployments', { key, raw: body }).then(({ status }) => status)
        : sendAndGo(head(body.length) + body, index % 3 === 1, index % 2 === 0),
    );
    const statuses = (await Promise.all(requests)).filter((status) => status !== undefined);
    expect(statuses).toEqual(Array(20).fill(201));
    expect(server.log.join('')).not.toContain('unforeseen');
    expect((await server.call('GET', '/health')).status).toBe(200);
  });
});
