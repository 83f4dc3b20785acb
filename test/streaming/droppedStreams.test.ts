import { existsSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { Random } from '../support/random.js';
import { isSanitized, ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let watcher: SocketClient;
let streams: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['streams']);
  server = await ServerProcess.start({
    plugins: [plugins],
    workers: 2,
    // Garbage that is collected late would look like a leak.
    env: { NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=128' },
  });
  streams = await server.admin.deploy('streams');
  watcher = await SocketClient.open(server);
  await warmUp();
});

/** What compilers and allocators take once is taken by streams that end in order. */
async function warmUp(): Promise<void> {
  for (let round = 0; round < 300; round++) {
    const client = await SocketClient.open(server);
    for (let id = 0; id < perConnection; id++) {
      const options = { mode: modes[id % 3], count: 20, bytes: 2000 };
      client.send({ id, deploymentId: streams, data: id, options, stream: true });
      client.send({ id, data: 1, end: true });
    }
    for (let id = 0; id < perConnection; id++) await client.rest(id);
    await client.close();
  }
}

const modes = ['echo', 'sum', 'burst', 'hang', 'ticks', 'throw', 'drain'];
const perConnection = 50;

/** Opens streams on a connection of their own, each of another kind, and drops them at any moment. */
async function round(random: Random): Promise<void> {
  const client = await SocketClient.open(server);
  for (let id = 0; id < perConnection; id++) {
    const options = { mode: random.pick(modes), count: 20, bytes: 2000, everyMs: 1 };
    client.send({ id, deploymentId: streams, data: id, options, stream: true });
    for (let more = random.below(4); more > 0; more--) client.send({ id, data: more });
    const end = random.below(4);
    if (end === 0) client.send({ id, cancel: true });
    if (end === 1) client.send({ id, end: true });
    if (random.below(10) === 0) await client.heard();
  }
  if (random.below(2) === 0) await client.heard();
  client.terminate();
  await client.closed;
}

interface Counts {
  begun: number;
  ended: number;
}

/** What all workers' plugins have counted: requests go to whichever is free. */
async function counts(): Promise<Counts> {
  const byThread = new Map<unknown, Counts>();
  while (byThread.size < 2) {
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => watcher.predicted(streams, 'counts')),
    );
    for (const { predictions, metadata } of answers) {
      byThread.set(metadata?.threadId, predictions as Counts);
    }
  }
  const all = [...byThread.values()];
  const sum = (key: keyof Counts) => all.reduce((total, each) => total + each[key], 0);
  return { begun: sum('begun'), ended: sum('ended') };
}

it('10,000 streams that are dropped at random points leave no memory, no stuck worker and no code that goes on', async () => {
  const random = new Random(17);
  const rounds = async (count: number) => {
    for (let i = 0; i < count; i++) await round(random);
    await expect
      .poll(async () => {
        const { begun, ended } = await counts();
        return begun - ended;
      })
      .toBe(0);
  };
  await rounds(20);
  const canMeasure = existsSync('/proc/self/statm') && !isSanitized;
  const after1000 = canMeasure ? server.residentBytes : 0;
  await rounds(180);
  if (canMeasure) expect(server.residentBytes / after1000).toBeLessThan(1.05);
  expect((await counts()).begun).toBeGreaterThan(5_000);
  expect((await watcher.predicted(streams, 'still here')).predictions).toBe('still here');
  expect(server.output).not.toContain('worker is being replaced');
});
