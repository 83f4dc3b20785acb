import net from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import type { Answer } from '../support/httpClient.js';
import { type ModelFiles, pluginFolder } from '../support/pluginFolder.js';
import { countingUp } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

const flower = [[5.1, 3.5, 1.4, 0.2]];
const model: ModelFiles = { model: countingUp() };

let plugins: string;
let fewerPlugins: string;
beforeAll(async () => {
  plugins = await pluginFolder(['irisClassification', 'gated'], { model });
  fewerPlugins = await pluginFolder(['irisClassification', 'gated']);
});

const codeOf = ({ status, json }: Answer) =>
  status === 200 ? '200' : `${status} ${(json as { code?: string }).code}`;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

describe('a server that starts again', () => {
  it('tells who asks too early to come again, in both forms, and then serves', async () => {
    const gate = await Gate.start({ isOpen: true });
    const port = await freePort();
    const first = await ServerProcess.start({ plugins: [plugins], workers: 2, port });
    const gated = await first.admin.deploy('gated', { gate: gate.url, loadLater: true });
    const flowers = await first.admin.deploy('irisClassification');
    const lost = await first.admin.deploy('model');
    expect(await first.stop()).toBe(0);

    gate.shut();
    const loads = gate.arrivals.length;
    const starting = ServerProcess.start({
      plugins: [fewerPlugins],
      workers: 2,
      data: first.data,
      port,
    });
    await gate.arrived(loads + 1);
    const client = first.admin.as(first.adminKey);
    const body = JSON.stringify({ data: 'early' });
    for (let i = 0; i < 20; i++) {
      for (const early of [
        await client.predict(gated, 'early'),
        await client.send('POST', `/predict/${gated}`, { body }),
      ]) {
        expect(early.status, early.text).toBe(503);
        expect(early.headers['retry-after']).toMatch(/^[1-9]\d*$/);
      }
    }
    expect(codeOf(await client.send('GET', '/health/live'))).toBe('200');
    expect(codeOf(await client.send('GET', '/health/ready'))).toBe('503 starting');
    // What is loaded serves already.
    await expect.poll(async () => codeOf(await client.predict(flowers, flower))).toBe('200');

    gate.openWide();
    await starting;
    // One that should serve can't: its plugin is gone.
    const ready = await client.send('GET', '/health/ready');
    expect(codeOf(ready)).toBe('503 deployment_unavailable');
    expect(ready.text).toContain(`${lost} (model) is failed`);
    expect((await client.predicted(gated, 'in time')).predictions).toBe('in time');
    // Its plugin is no longer there: it says so, and keeps its place.
    expect(codeOf(await client.predict(lost, [[1, 2]]))).toBe('503 deployment_unavailable');
    const byPath = await client.send('POST', `/predict/${lost}`, { body });
    expect(codeOf(byPath)).toBe('503 deployment_unavailable');
    const { json } = await client.send('GET', `/deployments/${lost}`);
    expect(json).toMatchObject({ deployment: { status: 'failed', error: expect.any(String) } });
    expect((await client.send('DELETE', `/deployments/${lost}`)).status).toBe(200);
    expect(codeOf(await client.predict(lost, [[1, 2]]))).toBe('404 deployment_not_found');
    expect(codeOf(await client.predict('dep_0', 1))).toBe('404 deployment_not_found');
    client.close();
  });
});

describe('a deployment that is removed while it loads', () => {
  it('does not come up', async () => {
    const gate = await Gate.start();
    const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
    const { admin } = server;
    const config = { gate: gate.url, loadLater: true };
    const making = admin.send('POST', '/deployments', { json: { modelName: 'gated', config } });
    await gate.arrived(1);
    const listed = async () => {
      const { json } = await admin.send('GET', '/deployments');
      return (json as { deployments: { deploymentId: string; status: string }[] }).deployments;
    };
    const [loading] = await listed();
    expect(loading).toMatchObject({ status: 'loading' });
    const { deploymentId } = loading!;
    expect((await admin.send('DELETE', `/deployments/${deploymentId}`)).status).toBe(200);
    gate.openWide();
    expect(codeOf(await making)).toBe('409 conflict');
    expect(codeOf(await admin.predict(deploymentId, 1))).toBe('404 deployment_not_found');
    expect(await listed()).toEqual([]);
    expect(await server.stop()).toBe(0);
  });
});
