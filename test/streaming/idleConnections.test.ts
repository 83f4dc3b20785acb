import { expect, it } from 'vitest';
import WebSocket from 'ws';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

it('a WebSocket that answers no ping is closed, and its stream ends; one that does stays open', async () => {
  const plugins = await pluginFolder(['streams']);
  const env = { CLOUDEASYML_IDLE_TIMEOUT: '8' };
  const server = await ServerProcess.start({ plugins: [plugins], workers: 1, env });
  const streams = await server.admin.deploy('streams');
  const quiet = await SocketClient.open(server);

  const dead = new WebSocket(`${server.url.replace('http', 'ws')}/predict`, {
    autoPong: false,
    headers: { authorization: `Bearer ${server.adminKey}` },
  });
  dead.on('error', () => {});
  await new Promise((resolve) => dead.once('open', resolve));
  dead.send(JSON.stringify({ id: 1, deploymentId: streams, data: 1, stream: true }));
  await new Promise((resolve) => dead.once('message', resolve));
  const pinged = new Promise((resolve) => dead.once('ping', resolve));
  await pinged;
  await new Promise((resolve) => dead.once('close', resolve));

  expect((await quiet.predicted(streams, 'still here')).predictions).toBe('still here');
  const counts = async () => (await quiet.predicted(streams, 'counts')).predictions;
  await expect.poll(counts).toMatchObject({ begun: 1, ended: 1, aborted: 1 });
});
