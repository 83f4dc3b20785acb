import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { LocalServer } from './support/localServer.js';

const requestTimeoutMs = 1500;
/** Connections that begin one after the other, because the server looks for late bodies now and then. */
const connections = 12;
const apartMs = 50;

let server: LocalServer;
let routes: { path: string; body: string }[];
beforeAll(async () => {
  server = await LocalServer.start({ requestTimeoutMs });
  const path = `/predict/${await server.deploy(server.adminKey)}`;
  routes = [
    { path, body: '{"data": [1, 2, 3]}' },
    { path: '/api-keys', body: '{"name": "slow"}' },
  ];
});

/** Sends the head of a request with the first bytes of its body, and the rest when the promise resolves. */
function begin(path: string, body: string, rest: Promise<unknown>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = server.connect();
    let received = '';
    socket.on('data', (data) => {
      received += data;
      resolve(received.split(' ')[1] ?? received);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.adminKey}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body.slice(0, 5));
    rest.then(() => socket.write(body.slice(5)));
  });
}

describe('a body', () => {
  it('that is whole before requestTimeoutMs is served', async () => {
    const statuses: Promise<string>[] = [];
    for (let each = 0; each < connections; each++) {
      const { path, body } = routes[each % routes.length]!;
      statuses.push(begin(path, body, sleep((requestTimeoutMs * 2) / 3)));
      await sleep(apartMs);
    }
    const expected = statuses.map((_, each) => ['200', '201'][each % routes.length]);
    expect(await Promise.all(statuses)).toEqual(expected);
  });

  it('that is not is answered with 408, and never before that', async () => {
    const order: Promise<string[]>[] = [];
    for (let each = 0; each < connections; each++) {
      const { path, body } = routes[each % routes.length]!;
      const events: string[] = [];
      // A timer's clock and the server's may be a millisecond apart.
      const isTime = sleep(requestTimeoutMs - 5).then(() => events.push('it is time'));
      const answered = begin(path, body, new Promise(() => {})).then((status) =>
        events.push(status),
      );
      order.push(Promise.all([isTime, answered]).then(() => events));
      await sleep(apartMs);
    }
    for (const events of await Promise.all(order)) expect(events).toEqual(['it is time', '408']);
  });

  it('has the time for itself on a connection that is kept', async () => {
    const { path, body } = routes[0]!;
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.adminKey}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const statuses = await new Promise<string[]>((resolve) => {
      const socket = server.connect();
      const seen: string[] = [];
      const ask = async () => {
        socket.write(head + body.slice(0, 5));
        await sleep(requestTimeoutMs / 2);
        socket.write(body.slice(5));
      };
      socket.on('data', (data) => {
        seen.push(data.toString().split(' ')[1]!);
        if (seen.length === 4) {
          socket.destroy();
          resolve(seen);
        } else void ask();
      });
      void ask();
    });
    expect(statuses).toEqual(['200', '200', '200', '200']);
  });
});
