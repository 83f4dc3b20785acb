import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { countingLoop } from '../support/onnxModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let client: SocketClient;
let streams: string;
/** Its steps run out of time soon. */
let hasty: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['streams']);
  const counting = path.join(await temporaryFolder(), 'counting.onnx');
  await writeFile(counting, countingLoop());
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  streams = await server.admin.deploy('streams', { counting });
  hasty = await server.admin.deploy('streams', { counting, serving: { timeoutMs: 300 } });
  client = await SocketClient.open(server);
});

const opening = (id: unknown, mode: string, deploymentId = streams) => ({
  id,
  deploymentId,
  data: 1,
  stream: true,
  options: { mode },
});

interface Counts {
  begun: number;
  ended: number;
  aborted: number;
}

async function counts(deploymentId = streams): Promise<Counts> {
  return (await client.predicted(deploymentId, 'counts')).predictions as Counts;
}

/** The same when no stream's code goes on from before. */
async function quiet(deploymentId?: string): Promise<Counts> {
  for (;;) {
    const found = await counts(deploymentId);
    if (found.begun === found.ended) return found;
  }
}

/** What the plugin's code came to between two moments. */
async function sinceThen(before: Counts, deploymentId?: string) {
  const now = await counts(deploymentId);
  return { ended: now.ended - before.ended, aborted: now.aborted - before.aborted };
}

describe('a stream whose client cancels it', () => {
  // Waiting for input, for room, for something of its own, or for a model.
  it.each(['echo', 'hang', 'run'])('ends its code: %s', async (mode) => {
    const before = await quiet();
    client.send(opening(mode, mode));
    await client.next(mode);
    client.send({ id: mode, cancel: true });
    expect((await client.next(mode)).error?.code).toBe('cancelled');
    await expect.poll(() => sinceThen(before)).toEqual({ ended: 1, aborted: 1 });
  });

  it('may be cancelled before its code begins', async () => {
    const before = await quiet();
    for (let i = 0; i < 50; i++) {
      client.send(opening('quick', 'echo'));
      client.send({ id: 'quick', cancel: true });
    }
    const last = await client.predicted(streams, 'last');
    expect(last.predictions).toBe('last');
    const now = await counts();
    expect(now.begun - before.begun).toBe(now.ended - before.ended);
    while (client.waiting('quick') > 0) await client.next('quick');
  });

  it('leaves the others on its worker alone, also where it was inside of a model', async () => {
    client.send(opening('stays', 'sum'));
    await client.next('stays');
    client.send(opening('goes', 'run'));
    await client.next('goes');
    client.send({ id: 'goes', cancel: true });
    client.send({ id: 'stays', data: 4, end: true });
    const frames = await client.rest('stays');
    expect(frames.map(({ predictions }) => predictions)).toEqual([5, undefined]);
  });
});

describe('a stream whose connection closes', () => {
  it.each(['echo', 'hang', 'run'])('ends its code: %s', async (mode) => {
    const before = await quiet();
    const other = await SocketClient.open(server);
    other.send(opening(1, mode));
    await other.next(1);
    other.terminate();
    await expect.poll(() => sinceThen(before)).toEqual({ ended: 1, aborted: 1 });
  });
});

describe('a stream whose plugin takes too long for a step', () => {
  it.each(['hang', 'run'])('is told so, and its code ends: %s', async (mode) => {
    const before = await quiet(hasty);
    client.send(opening(mode, mode, hasty));
    await client.next(mode);
    expect((await client.next(mode)).error?.code).toBe('deadline_exceeded');
    await expect.poll(() => sinceThen(before, hasty)).toEqual({ ended: 1, aborted: 1 });
  });

  it('may wait for its client for as long as it likes', async () => {
    client.send(opening('patient', 'sum', hasty));
    await client.next('patient');
    await new Promise((resolve) => setTimeout(resolve, 700));
    client.send({ id: 'patient', data: 1, end: true });
    expect((await client.next('patient')).predictions).toBe(2);
    expect((await client.next('patient')).done).toBe(true);
  });

  it('has its worker replaced where its code neither ends nor turns the event loop', async () => {
    const other = await SocketClient.open(server);
    other.send(opening('bystander', 'echo'));
    await other.next('bystander');
    client.send(opening('spin', 'spin', hasty));
    await client.next('spin');
    expect((await client.next('spin')).error?.code).toBe('deadline_exceeded');
    // Its neighbour's state went with the worker.
    expect((await other.next('bystander')).error?.code).toBe('worker_lost');
    expect((await client.predicted(streams, 'after')).predictions).toBe('after');
  });
});

describe('a request that nobody waits for any more', () => {
  it('gives its worker free though it is inside of a model', async () => {
    client.send({ id: 'unary', deploymentId: streams, data: 'run' });
    await client.heard();
    client.send({ id: 'unary', cancel: true });
    expect((await client.next('unary')).error?.code).toBe('cancelled');
    expect((await client.predicted(streams, 'next')).predictions).toBe('next');
  });
});
