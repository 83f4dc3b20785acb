import { beforeAll, expect, it } from 'vitest';
import { OthersLoad } from '../support/othersLoad.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

const patience = { timeout: 40_000, interval: 200 };
let plugins: string;
beforeAll(async () => {
  plugins = await pluginFolder(['echo', 'streams', 'blocking', 'wayward', 'slow']);
});

it('a prediction that never ends costs its deployment an instance, and others nothing', async () => {
  const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  const { admin } = server;
  const streams = await admin.deploy('streams');
  const others = await OthersLoad.start(server, streams, await admin.deploy('echo'));
  const serving = { timeoutMs: 500, maxBatchSize: 1 };
  const wayward = await admin.deploy('wayward', { serving });
  const lost = await Promise.all(
    Array.from({ length: 2 }, () => admin.predict(wayward, 'never answer')),
  );
  expect(lost.map(({ status }) => status)).toEqual([504, 504]);
  // Both workers' instances hang.
  expect((await admin.predict(wayward, 'tell the thread')).status).not.toBe(200);
  await expect
    .poll(async () => (await admin.predict(wayward, 'tell the thread')).status, patience)
    .toBe(200);
  await others.stop();
  expect(server.output).not.toContain('a worker was lost');
});

it('a deadline of ten milliseconds costs only its own requests', async () => {
  const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  const { admin } = server;
  const streams = await admin.deploy('streams');
  const others = await OthersLoad.start(server, streams, await admin.deploy('echo'));
  const slow = await admin.deploy('slow', { ms: 3_000, serving: { timeoutMs: 10 } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => admin.predict(slow, 1)));
  for (const { status } of answers) expect([503, 504]).toContain(status);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await others.stop();
  expect(server.output).not.toContain('a worker was lost');
});

it('a worker whose event loop stands still is replaced', async () => {
  const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  const { admin } = server;
  const echo = await admin.deploy('echo');
  const blocking = await admin.deploy('blocking', { serving: { timeoutMs: 300 } });
  expect((await admin.predict(blocking, 'loop', { in: 'timer' })).status).toBe(504);
  expect((await admin.predicted(echo, 'after')).predictions).toBe('after');
  expect(server.output).toContain('a worker is being replaced');
});
