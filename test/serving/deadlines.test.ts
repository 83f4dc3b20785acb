import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let gate: Gate;

beforeAll(async () => {
  const plugins = await pluginFolder(['gated']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
});

beforeEach(async () => {
  gate = await Gate.start();
});

const deployGated = (serving: Record<string, number> = {}) =>
  server.admin.deploy('gated', { gate: gate.url, serving: { maxBatchSize: 1, ...serving } });

interface Asked {
  headers?: Record<string, string>;
  timeoutMs?: number;
}

async function codeOf(deploymentId: string, data: string, { headers, timeoutMs }: Asked = {}) {
  const json = { deploymentId, data, timeoutMs };
  const answer = await server.admin.send('POST', '/predict', { json, headers });
  return answer.status === 200
    ? '200'
    : `${answer.status} ${(answer.json as { code: string }).code}`;
}

const late = '504 deadline_exceeded';

describe('a request’s own timeout', () => {
  it('ends it where it runs and where it waits, and nobody else', async () => {
    const gated = await deployGated();
    const running = codeOf(gated, 'running', { headers: { 'x-timeout-ms': '100' } });
    await gate.arrived(1);
    const patient = codeOf(gated, 'patient');
    expect(await running).toBe(late);
    expect(await codeOf(gated, 'by header', { headers: { 'x-timeout-ms': '50' } })).toBe(late);
    expect(await codeOf(gated, 'by body', { timeoutMs: 50 })).toBe(late);
    gate.openWide();
    expect(await patient).toBe('200');
    expect(gate.arrivals).toEqual(['running', 'patient']);
  });

  it('is the header’s where the body names one, too', async () => {
    const gated = await deployGated({ timeoutMs: 1_000_000 });
    const asked = { headers: { 'x-timeout-ms': '50' }, timeoutMs: 1_000_000 };
    expect(await codeOf(gated, 'both', asked)).toBe(late);
    // A model without streams takes it as an ordinary request.
    const headers = { ...asked.headers, accept: 'text/event-stream' };
    expect(await codeOf(gated, 'events', { ...asked, headers })).toBe(late);
  });

  it('does not outlast the deployment’s', async () => {
    const gated = await deployGated({ timeoutMs: 200 });
    const byHeader = codeOf(gated, 'by header', { headers: { 'x-timeout-ms': '1000000' } });
    const byBody = codeOf(gated, 'by body', { timeoutMs: 1_000_000 });
    expect(await Promise.all([byHeader, byBody])).toEqual([late, late]);
  });

  it('holds for frames of a WebSocket', async () => {
    const gated = await deployGated();
    const socket = await SocketClient.open(server);
    socket.send({ id: 'running', deploymentId: gated, data: 'running', timeoutMs: 100 });
    socket.send({ id: 'patient', deploymentId: gated, data: 'patient' });
    socket.send({ id: 'waiting', deploymentId: gated, data: 'waiting', timeoutMs: 100 });
    for (const id of ['running', 'waiting']) {
      expect((await socket.next(id)).error?.code).toBe('deadline_exceeded');
    }
    gate.openWide();
    expect(await socket.next('patient')).toMatchObject({ done: true, predictions: 'patient' });
  });

  it('is forgotten with a request that was refused', async () => {
    const gated = await deployGated();
    const json = { deploymentId: gated, data: 'refused', priority: 0 };
    const headers = { 'x-timeout-ms': '1' };
    expect((await server.admin.send('POST', '/predict', { json, headers })).status).toBe(422);
    const next = codeOf(gated, 'next');
    await gate.arrived(1);
    expect(await codeOf(gated, 'behind it', { timeoutMs: 100 })).toBe(late);
    gate.openWide();
    expect(await next).toBe('200');
  });
});
