import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let admin: HttpClient;
beforeAll(async () => {
  const plugins = await pluginFolder(['typedSums', 'typedLengths']);
  server = await ServerProcess.start({
    plugins: [plugins],
    workers: 1,
    env: { CLOUDEASYML_LOG_LEVEL: 'info' },
  });
  admin = server.admin;
});

describe('a plugin of tensors', () => {
  let id: string;
  beforeAll(async () => {
    id = await admin.deploy('typedSums', { factor: 2 });
  });

  it('gets them checked, and its answer is a tensor', async () => {
    expect((await admin.predicted(id, [[1, 2, 3]])).predictions).toEqual([[12]]);
    for (const [data, path, detail] of [
      [[[1, 2]], 'data[0]', 'a list of 3'],
      [[[1, 2, 3], [1]], 'data[1]', 'a list of 3'],
      [[[1, 2, 'x']], 'data[0][2]', 'a number'],
      [5, 'data', 'float32[batch, 3]'],
    ] as const) {
      const { json } = await admin.predict(id, data);
      expect(json).toMatchObject({ status: 422, code: 'invalid_input', path });
      expect((json as { detail: string }).detail).toContain(detail);
    }
  });

  it('takes the requests of a batch as one, and gives each its rows', async () => {
    const requests = Array.from({ length: 40 }, (_, i) =>
      Array.from({ length: 1 + (i % 3) }, (_, row) => [i, row, 1]),
    );
    const answers = await Promise.all(requests.map((data) => admin.predicted(id, data)));
    for (const [i, { predictions }] of answers.entries()) {
      expect(predictions).toEqual(requests[i]!.map(([a, b, c]) => [2 * (a! + b! + c!)]));
    }
    const told = await admin.predict(id, [[1, 1, 1]], { tellRuns: true });
    const runs = /runs: ([\d,]+)/.exec(told.text)![1]!.split(',').map(Number);
    expect(Math.max(...runs)).toBeGreaterThan(3);
  });

  it('takes them as bytes, too', async () => {
    const client = await SocketClient.open(server);
    client.send({ id: 1, deploymentId: id, data: [[1, 1, 1]], binary: true });
    expect((await client.next(1)).done).toBe(true);
    await client.close();
  });
});

describe('a plugin of items', () => {
  let id: string;
  beforeAll(async () => {
    id = await admin.deploy('typedLengths');
  });

  it('answers one with one, and a list with a list', async () => {
    expect((await admin.predicted(id, 'four')).predictions).toBe(4);
    expect((await admin.predicted(id, ['a', 'bb'], { double: true })).predictions).toEqual([2, 4]);
  });

  it('fails the request of an item that fails, and no other', async () => {
    const [good, bad, ugly] = await Promise.all([
      admin.predict(id, 'good'),
      admin.predict(id, ['fine', 'much too long a text']),
      admin.predict(id, ['fine', '']),
    ]);
    expect(good).toMatchObject({ status: 200, json: { predictions: 4 } });
    expect(bad).toMatchObject({ status: 422, json: { path: 'data' } });
    expect(ugly).toMatchObject({ status: 422, json: { path: 'data[1]' } });
  });

  it('names the option and the setting that do not fit', async () => {
    const refused = await admin.predict(id, 'x', { double: 'yes' });
    expect(refused).toMatchObject({ status: 422, json: { path: 'options.double' } });
    const request = { modelName: 'typedLengths', config: { most: 'many' } };
    const failed = await admin.send('POST', '/deployments', { json: request });
    expect(failed).toMatchObject({ status: 422, json: { path: 'config.most' } });
  });

  it('streams, logs, and has no training', async () => {
    const client = await SocketClient.open(server);
    client.send({ id: 1, deploymentId: id, stream: true, data: 'abc', options: { double: true } });
    expect(await client.next(1)).toMatchObject({ predictions: 6, metadata: { most: 10 } });
    client.send({ id: 1, data: 'a', end: true });
    expect(await client.next(1)).toMatchObject({ predictions: 2 });
    expect(await client.next(1)).toMatchObject({ done: true });
    await client.close();
    expect(server.output).toContain('lengths are loaded');
  });
});
