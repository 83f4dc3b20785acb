import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { type Received, SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let client: SocketClient;
let streams: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['irisClassification', 'streams']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  streams = await server.admin.deploy('streams');
  client = await SocketClient.open(server);
});

const predictions = (frames: Received[]) =>
  frames.filter(({ done }) => !done).map((frame) => frame.predictions);
const opening = (id: unknown, mode: string, more: Record<string, unknown> = {}) => {
  const { options, ...others } = more as { options?: Record<string, unknown> };
  return { id, deploymentId: streams, stream: true, options: { mode, ...options }, ...others };
};

describe('a stream', () => {
  it('answers inputs while more are to come', async () => {
    client.send(opening(1, 'sum', { data: 5 }));
    expect(await client.next(1)).toMatchObject({ id: 1, seq: 0, predictions: 5 });
    client.send({ id: 1, data: 7 });
    expect(await client.next(1)).toMatchObject({ id: 1, seq: 1, predictions: 12 });
    client.send({ id: 1, end: true });
    const last = await client.next(1);
    expect(last).toEqual({ id: 1, done: true, processingTimeMs: expect.any(Number) });
  });

  it('takes its first input with the opening frame or after it, and its end with the last input or after it', async () => {
    client.send(opening('a', 'echo', { data: 1, end: true }));
    client.send(opening('b', 'echo'));
    client.send({ id: 'b', data: 1, end: true });
    client.send(opening('c', 'echo'));
    client.send({ id: 'c', data: 1 });
    client.send({ id: 'c', end: true });
    for (const id of ['a', 'b', 'c']) expect(predictions(await client.rest(id))).toEqual([1]);
  });

  it('keeps the order of its inputs and outputs, however many there are', async () => {
    client.send(opening('many', 'echo'));
    for (let i = 0; i < 2_000; i++) client.send({ id: 'many', data: i });
    client.send({ id: 'many', end: true });
    const frames = await client.rest('many');
    expect(frames.at(-1)?.done).toBe(true);
    const outputs = frames.slice(0, -1);
    expect(outputs).toHaveLength(2_000);
    for (const [i, frame] of outputs.entries()) {
      expect(frame.seq).toBe(i);
      expect(frame.predictions).toBe(i);
    }
  });

  it('stays on one worker and shares its state with no other; many interleave', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `stream ${i}`);
    for (const id of ids) client.send(opening(id, 'sum'));
    for (let step = 1; step <= 20; step++) {
      for (const [i, id] of ids.entries()) client.send({ id, data: i * step, end: step === 20 });
    }
    const workers = new Set<unknown>();
    for (const [i, id] of ids.entries()) {
      const frames = await client.rest(id);
      const sums = Array.from({ length: 20 }, (_, step) => (i * (step + 1) * (step + 2)) / 2);
      expect(predictions(frames)).toEqual(sums);
      const threads = new Set(frames.slice(0, -1).map(({ metadata }) => metadata?.threadId));
      expect(threads.size).toBe(1);
      for (const thread of threads) workers.add(thread);
    }
    expect(workers.size).toBe(2);
  });

  it('goes on beside requests on the same connection, and on the same worker', async () => {
    client.send(opening('beside', 'echo', { data: 0 }));
    await client.next('beside');
    for (let i = 1; i < 20; i++) {
      expect((await client.predicted(streams, i)).predictions).toBe(i);
      client.send({ id: 'beside', data: i });
      expect((await client.next('beside')).predictions).toBe(i);
    }
    client.send({ id: 'beside', end: true });
    expect((await client.next('beside')).done).toBe(true);
  });

  it('ends with the error of its plugin, after what it had yielded', async () => {
    client.send(opening('throws', 'throw', { data: 1 }));
    const [output, end] = await client.rest('throws');
    expect(output).toMatchObject({ seq: 0, predictions: 'before' });
    expect(end).toEqual({
      id: 'throws',
      error: { code: 'plugin_failed', detail: 'It went wrong.' },
    });
  });

  it('ends with the place in its input that the plugin refuses', async () => {
    client.send(opening('refused', 'refuse', { data: 'good' }));
    client.send({ id: 'refused', data: 'bad' });
    const frames = await client.rest('refused');
    expect(frames.at(-1)?.error).toEqual({
      code: 'invalid_input',
      path: 'data',
      detail: 'Expected anything but that.',
    });
  });

  it('needs an input', async () => {
    client.send(opening('empty', 'echo', { end: true }));
    expect((await client.next('empty')).error).toMatchObject({
      code: 'invalid_input',
      path: 'data',
    });
  });

  it('may end before its input does; what comes then is refused', async () => {
    client.send(opening('early', 'burst', { data: 1, options: { count: 2 } }));
    expect(predictions(await client.rest('early'))).toEqual(['x', 'x']);
    client.send({ id: 'early', data: 2 });
    expect((await client.next('early')).error?.code).toBe('stream_not_found');
  });

  it('counts as one request with as many rows as it had inputs', async () => {
    const ada = await server.user('ada');
    const own = await ada.deploy('streams');
    const socket = await SocketClient.open(server, ada.key);
    socket.send({ ...opening(1, 'echo', { data: 1 }), deploymentId: own });
    socket.send({ id: 1, data: 2 });
    socket.send({ id: 1, data: 3, end: true });
    await socket.rest(1);
    const { json } = await ada.send('GET', '/usage');
    expect(json).toMatchObject({
      totalCost: 0.25,
      byModel: { streams: { requests: 1, rows: 3, errors: 0 } },
    });
  });

  it('beyond as many as may be open is refused', async () => {
    const few = await server.admin.deploy('streams', { serving: { maxStreams: 2 } });
    for (const id of ['x', 'y', 'z']) {
      client.send({ ...opening(id, 'echo', { data: 1 }), deploymentId: few });
    }
    await client.next('x');
    await client.next('y');
    expect((await client.next('z')).error).toMatchObject({ code: 'overloaded' });
    client.send({ id: 'x', end: true });
    await client.rest('x');
    // Its worker lets go of it after its last frame.
    await expect
      .poll(async () => {
        client.send({ ...opening('z', 'echo', { data: 1, end: true }), deploymentId: few });
        return (await client.rest('z')).at(-1)?.done;
      })
      .toBe(true);
    client.send({ id: 'y', end: true });
  });
});
