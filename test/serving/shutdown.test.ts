import http from 'node:http';
import net from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let plugins: string;
beforeAll(async () => {
  plugins = await pluginFolder(['irisClassification', 'echo', 'gated', 'wayward']);
});

const flower = [[5.1, 3.5, 1.4, 0.2]];
const codeOf = ({ status, json }: Answer) =>
  status === 200 ? '200' : `${status} ${(json as { code?: string }).code}`;

/** Resolves when the server takes no new connection. */
async function refusesConnections({ url }: ServerProcess): Promise<void> {
  const { port } = new URL(url);
  const attempt = () =>
    new Promise<string>((resolve) => {
      const socket = net.connect(Number(port), '127.0.0.1');
      const end = (how: string) => {
        socket.destroy();
        resolve(how);
      };
      socket.on('connect', () => end('connected'));
      socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? ''));
    });
  await expect.poll(attempt, { timeout: 20_000 }).toBe('ECONNREFUSED');
}

/** Sends one request after another, over a connection that it keeps for as long as it may, until none is taken. */
async function askOn(client: HttpClient, deploymentId: string, count: (closes: boolean) => void) {
  for (;;) {
    let answer: Answer;
    try {
      answer = await client.predict(deploymentId, flower);
    } catch (error) {
      const { code, wasNew } = error as { code: string; wasNew: boolean };
      // The system resets a connection that the server had not accepted yet when it stopped to.
      expect(wasNew, code).toBe(true);
      if (code === 'ECONNREFUSED') return;
      continue;
    }
    expect(codeOf(answer)).toBe('200');
    count(answer.headers.connection === 'close');
  }
}

describe('SIGTERM', () => {
  it('under load lets everything in flight be answered; the next start goes on with all there was', async () => {
    const gate = await Gate.start();
    const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
    const user = await server.user('ada');
    const flowers = await user.deploy('irisClassification');
    const echo = await user.deploy('echo', { note: 'kept' });
    const gated = await user.deploy('gated', { gate: gate.url, serving: { maxBatchSize: 1 } });
    const { predictions } = await user.predicted(flowers, flower);

    let answered = 1;
    const held = Array.from({ length: 30 }, (_, i) => user.predict(gated, `held ${i}`));
    await gate.arrived(2);
    let closing = 0;
    const lanes = Array.from({ length: 16 }, (_, i) =>
      askOn(user, [flowers, echo][i % 2]!, (closes) => {
        answered++;
        if (closes) closing++;
      }),
    );
    await expect.poll(() => answered).toBeGreaterThan(200);
    expect(closing).toBe(0);

    const exited = server.stop('SIGTERM');
    await refusesConnections(server);
    await Promise.all(lanes);
    // Each was told on the connection that it had.
    expect(closing).toBeGreaterThanOrEqual(lanes.length);
    expect(gate.arrivals).toHaveLength(2);
    gate.openWide();
    for (const answer of await Promise.all(held)) expect(codeOf(answer)).toBe('200');
    expect(await exited).toBe(0);
    expect(server.output).not.toContain('cut off');

    const next = await ServerProcess.start({ plugins: [plugins], data: server.data, workers: 2 });
    const again = next.admin.as(user.key);
    const { json } = await again.send('GET', '/deployments');
    const { deployments } = json as { deployments: Record<string, unknown>[] };
    expect(deployments.map(({ deploymentId }) => deploymentId).sort()).toEqual(
      [flowers, echo, gated].sort(),
    );
    for (const { status } of deployments) expect(status).toBe('active');
    expect(deployments.find(({ deploymentId }) => deploymentId === echo)?.config).toEqual({
      note: 'kept',
    });
    const usage = (await again.send('GET', '/usage')).json as Record<string, unknown>;
    expect(usage).toMatchObject({ totalRequests: answered + 30, totalCost: expect.any(Number) });
    expect(usage.byModel).toMatchObject({ gated: { requests: 30, errors: 0, cost: 15 } });
    expect((await again.predicted(flowers, flower)).predictions).toEqual(predictions);
    expect((await again.predicted(gated, 'free')).predictions).toBe('free');
    expect(await next.stop('SIGINT')).toBe(0);
  });

  it('waits for answers that their clients read slowly', async () => {
    const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
    const echo = await server.admin.deploy('echo');
    const data = 'x'.repeat(12_000_000);
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = http.request(`${server.url}/predict/${echo}`, {
        method: 'POST',
        agent: new http.Agent({ keepAlive: true }),
        headers: { authorization: `Bearer ${server.adminKey}` },
      });
      request.on('response', resolve);
      request.on('error', reject);
      request.end(JSON.stringify({ data }));
    });
    const exited = server.stop();
    await refusesConnections(server);
    let size = 0;
    for await (const chunk of response) size += chunk.length;
    expect(size).toBeGreaterThan(data.length);
    expect(await exited).toBe(0);
  });

  it('ends the server in order though a plugin does not come back', async () => {
    const env = { CLOUDEASYML_DRAIN_TIMEOUT_MS: '200' };
    const server = await ServerProcess.start({ plugins: [plugins], workers: 2, env });
    const gate = await Gate.start();
    const gated = await server.admin.deploy('gated', { gate: gate.url });
    const wayward = await server.admin.deploy('wayward');
    const waiting = server.admin.predict(gated, 'held for good').catch(() => 'cut off');
    await gate.arrived(1);
    const looping = server.admin.predict(wayward, 'loop').catch(() => 'cut off');
    // The server has read the request when it answers one that came later.
    expect((await server.admin.send('GET', '/health')).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(await Promise.all([waiting, looping])).toEqual(['cut off', 'cut off']);
    expect(server.output).toContain('cut off');
  });

  it('right after the start is heeded too', async () => {
    const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
    expect(await server.stop()).toBe(0);
  });
});
