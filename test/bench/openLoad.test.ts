import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { runOpenLoad } from '../../bench/serving/openLoop.mjs';
import { temporaryFolder } from '../support/temporaryFolder.js';

const load = { arrivalsPerSecond: 400, seconds: 0.5, seed: 3 };
const body = '{"predictions":[],"processingTimeMs":1.5}';
const timing = 'Server-Timing: queue;dur=0.25, batch;dur=0.5, compute;dur=1.000\r\n';
const folder = temporaryFolder();
let server: Server | undefined;

afterEach(() => server?.close());

/** Puts load on a server that answers every request by `answer`. */
async function heard(answer: (socket: Socket, request: number) => void) {
  let requests = 0;
  server = createServer((socket) => {
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
      if (!received.endsWith('{"data":[1]}')) return;
      received = '';
      answer(socket, requests++);
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const request = {
    url: `http://127.0.0.1:${port}/predict`,
    headers: { 'content-type': 'application/json' },
    body: '{"data":[1]}',
  };
  const options = { folder, cpus: undefined };
  return { run: await runOpenLoad(request, load, options), requests };
}

function reply(status: string, headers: string, text: string) {
  return `HTTP/1.1 ${status}\r\n${headers}content-length: ${text.length}\r\n\r\n${text}`;
}

// It waits by epoll.
describe.skipIf(process.platform !== 'linux')('the open loop’s generator', () => {
  it('has every arrival answered, and tells where the time went by server-timing', async () => {
    const { run, requests } = await heard((socket) => {
      const whole = reply('200 OK', timing, body);
      // In two pieces, as a connection may bring it.
      socket.write(whole.slice(0, 30));
      setImmediate(() => socket.write(whole.slice(30)));
    });
    expect(run.failures, run.failure).toBe(0);
    expect(run.answered).toBe(requests);
    const { latency, generator, queue, batch, compute } = run.times;
    // Those of the warm-up aren't counted.
    expect(latency.length).toBeGreaterThan(100);
    expect(latency.length).toBeLessThan(requests);
    expect(new Set([...queue, ...batch, ...compute])).toEqual(new Set([250, 500, 1000]));
    expect(latency[0]).toBeGreaterThan(0);
    expect(generator[0]).toBeGreaterThanOrEqual(0);
  });

  it('counts from the moment that a request was meant for, even where no connection is free', async () => {
    const { run } = await heard((socket, request) => {
      // All connections hang for a while.
      setTimeout(() => socket.write(reply('200 OK', '', body)), request < 256 ? 900 : 0);
    });
    expect(run.failures, run.failure).toBe(0);
    expect(run.times.latency.at(-1)).toBeGreaterThan(250_000);
    expect(run.times.generator.at(-1)).toBeGreaterThan(0);
  });

  it('opens connections anew that the server closed while nothing was asked on them', async () => {
    const sockets = new Set<Socket>();
    const { run } = await heard((socket, request) => {
      sockets.add(socket);
      socket.write(reply('200 OK', '', body));
      if (request !== 100) return;
      sockets.delete(socket);
      for (const idle of sockets) idle.end();
      sockets.clear();
    });
    expect(run.failures, run.failure).toBe(0);
  });

  it('takes the run alone from a body without server-timing', async () => {
    const { run } = await heard((socket) => socket.write(reply('200 OK', '', body)));
    expect(new Set(run.times.compute)).toEqual(new Set([1500]));
    expect(new Set(run.times.queue)).toEqual(new Set([Number.NaN]));
  });

  it('counts refused requests and lost ones as failures', async () => {
    const refused = await heard((socket, request) => {
      // The last one counts: those of the warm-up don't.
      const isRefused = request === 7 || request === 300;
      socket.write(isRefused ? reply('503 No', '', '{}') : reply('200 OK', '', body));
    });
    expect(refused.run).toMatchObject({
      failures: 2,
      failure: 'The server answered 503.',
      lost: 0,
    });
    expect(refused.run.errors).toEqual([{ status: 503, us: expect.any(Number) }]);
    expect(refused.run.errors[0]!.us).toBeGreaterThan(0);
    server?.close();
    const lost = await heard((socket, request) => {
      if (request === 7) socket.destroy();
      else socket.write(reply('200 OK', '', body));
    });
    expect(lost.run.failures).toBeGreaterThan(0);
    expect(lost.run.lost).toBe(lost.run.failures);
    expect(lost.run.failure).toMatch(/closed the connection|reset/);
  });
});
