import { expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { LocalServer } from './support/localServer.js';

it('a server tells probes that it lives, is ready, and drains', async () => {
  const gate = await Gate.start();
  const plugins = [await pluginFolder(['gated'])];
  const server = await LocalServer.start({ plugins, drainTimeoutMs: 60_000 });
  // Each has one connection, which is open before the server takes no more.
  const [probe, user] = [undefined, server.adminKey].map(
    (key) => new HttpClient(server.url, key, 1),
  ) as [HttpClient, HttpClient];
  expect((await probe.send('GET', '/health/live')).json).toEqual({ status: 'alive' });
  const ready = await probe.send('GET', '/health/ready');
  expect(ready).toMatchObject({ status: 200, json: { status: 'ready' } });
  expect(ready.headers.connection).not.toBe('close');

  const gated = await server.deploy(server.adminKey, 'gated', { gate: gate.url });
  const held = user.predict(gated, 'held');
  await gate.arrived(1);
  const stopped = server.stop();
  const draining = await probe.send('GET', '/health/ready');
  expect(draining).toMatchObject({ status: 503, json: { code: 'draining' } });
  expect(draining.headers).toMatchObject({ 'retry-after': '1', connection: 'close' });
  gate.openWide();
  const answer = await held;
  expect(answer).toMatchObject({ status: 200, json: { predictions: 'held' } });
  expect(answer.headers.connection).toBe('close');
  await stopped;
});
