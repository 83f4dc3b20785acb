import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let plugins: string;
beforeAll(async () => {
  plugins = await pluginFolder(['streams', 'wayward']);
});

const start = (env: Record<string, string> = {}) =>
  ServerProcess.start({ plugins: [plugins], workers: 2, env });

const opening = (id: unknown, deploymentId: string, mode: string) => ({
  id,
  deploymentId,
  data: 1,
  stream: true,
  options: { mode },
});

describe('SIGTERM', () => {
  it('closes idle WebSockets at once, and lets streams end that do so in time', async () => {
    const server = await start();
    const streams = await server.admin.deploy('streams');
    const idle = await SocketClient.open(server);
    const busy = await SocketClient.open(server);
    busy.send(opening('goes on', streams, 'sum'));
    await busy.next('goes on');
    const exited = server.stop();
    expect((await idle.closed).code).toBe(1001);
    busy.send({ id: 'new', deploymentId: streams, data: 1 });
    expect((await busy.next('new')).error?.code).toBe('draining');
    busy.send({ id: 'goes on', data: 2, end: true });
    const frames = await busy.rest('goes on');
    expect(frames.map(({ predictions }) => predictions)).toEqual([3, undefined]);
    expect((await busy.closed).code).toBe(1001);
    expect(await exited).toBe(0);
    expect(server.output).not.toContain('cut off');
  });

  it('cuts streams off that do not, says so, and runs their code’s finally', async () => {
    const server = await start({ CLOUDEASYML_DRAIN_TIMEOUT_MS: '200' });
    const streams = await server.admin.deploy('streams');
    const client = await SocketClient.open(server);
    client.send(opening(1, streams, 'echo'));
    client.send(opening(2, streams, 'deaf'));
    await client.next(1);
    await client.next(2);
    const exited = server.stop();
    for (const id of [1, 2]) expect((await client.next(id)).error?.code).toBe('draining');
    expect((await client.closed).code).toBe(1001);
    expect(await exited).toBe(0);
    expect(server.output).toContain('cut off');
  });
});

describe('a worker that is lost', () => {
  it('takes its streams with it, and they are told so; those of others go on', async () => {
    const server = await start();
    const streams = await server.admin.deploy('streams');
    const wayward = await server.admin.deploy('wayward');
    const client = await SocketClient.open(server);
    const ids = [0, 1, 2, 3];
    for (const id of ids) client.send(opening(id, streams, 'echo'));
    for (const id of ids) await client.next(id);
    client.send({ id: 'exit', deploymentId: wayward, data: 'throw later' });
    expect((await client.next('exit')).error?.code).toBe('worker_lost');
    const ended: unknown[] = [];
    for (const id of ids) {
      client.send({ id, data: 2, end: true });
      const last = (await client.rest(id)).at(-1);
      ended.push(last?.error?.code ?? 'done');
    }
    expect(ended.sort()).toEqual(['done', 'done', 'worker_lost', 'worker_lost']);
    // Four more are spread over both workers again when the seat is taken.
    await expect
      .poll(
        async () => {
          const threads = new Set<unknown>();
          for (const id of ids) {
            client.send({ ...opening(id, streams, 'echo'), end: true });
            threads.add((await client.rest(id))[0]?.metadata?.threadId);
          }
          return threads.size;
        },
        { timeout: 10_000 },
      )
      .toBe(2);
  });
});

describe('a deployment that is removed', () => {
  it('lets its streams end, takes no others, and unloads then', async () => {
    const server = await start();
    const streams = await server.admin.deploy('streams');
    const client = await SocketClient.open(server);
    client.send(opening('last', streams, 'sum'));
    await client.next('last');
    const removed = server.admin.send('DELETE', `/deployments/${streams}`);
    await expect
      .poll(async () => {
        client.send({ ...opening('late', streams, 'echo'), end: true });
        return (await client.rest('late')).at(-1)?.error?.code;
      })
      .toBe('deployment_unavailable');
    client.send({ id: 'last', data: 2, end: true });
    expect((await client.rest('last'))[0]?.predictions).toBe(3);
    expect((await removed).status).toBeLessThan(300);
  });
});
