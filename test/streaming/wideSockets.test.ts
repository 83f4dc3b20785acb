import { expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

const large = 'x'.repeat(300 * 1024);

it('only the first 32 WebSockets of a key take frames of more than 256 KiB', async () => {
  const plugins = await pluginFolder(['echo']);
  const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  const { key } = await server.user('ada');
  const echo = await server.admin.deploy('echo');
  const { key: other } = await server.user('admin', { permissions: ['predict'] });
  const open = () => SocketClient.open(server, other);
  const wide = await Promise.all(Array.from({ length: 32 }, open));
  const narrow = await open();

  expect((await wide[31]!.predicted(echo, large)).predictions).toBe(large);
  expect((await narrow.predicted(echo, 'small')).predictions).toBe('small');
  narrow.send({ id: 1, deploymentId: echo, data: large });
  expect((await narrow.closed).code).toBe(1006);

  // Another key has 32 of its own, and one that is closed makes room for the next.
  const stranger = await SocketClient.open(server, key);
  stranger.send({ id: 1, deploymentId: 'none', data: large });
  expect((await stranger.next(1)).error?.code).toBe('deployment_not_found');
  await wide[0]!.close();
  const next = await open();
  expect((await next.predicted(echo, large)).predictions).toBe(large);
  await Promise.all([...wide.slice(1), stranger, next].map((client) => client.close()));
});
