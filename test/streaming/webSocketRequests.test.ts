import { beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { addingPairs, scaling, wordIndex } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { floats, SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let client: SocketClient;
let flowers: string;
let echo: string;
let pairs: string;
let scaled: string;
let words: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['irisClassification', 'echo', 'gated', 'streams'], {
    addingPairs: { model: addingPairs() },
    scaling: { model: scaling() },
    wordIndex: { model: wordIndex() },
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  const deploy = (name: string) => server.admin.deploy(name);
  [flowers, echo, pairs, scaled, words] = (await Promise.all(
    ['irisClassification', 'echo', 'addingPairs', 'scaling', 'wordIndex'].map(deploy),
  )) as [string, string, string, string, string];
  client = await SocketClient.open(server);
});

const flower = [[5.1, 3.5, 1.4, 0.2]];

describe('a request over a WebSocket', () => {
  it('is answered as the same over HTTP is', async () => {
    const { processingTimeMs: _, ...overHttp } = await server.admin.predicted(flowers, flower);
    const { processingTimeMs, ...frame } = await client.predicted(flowers, flower);
    expect(frame).toEqual({ id: expect.any(String), done: true, ...overHttp });
    expect(processingTimeMs).toBeGreaterThan(0);
  });

  it('keeps its id as the client wrote it', async () => {
    for (const id of [7, -1.5, 'a "quoted" id', 'идентификатор', '7', '']) {
      client.send({ id, deploymentId: echo, data: id });
      expect(await client.next(id)).toMatchObject({ id, done: true, predictions: id });
    }
  });

  it('may be one of many: each gets its own answer, whatever the order', async () => {
    const asked = Array.from({ length: 500 }, (_, i) => i);
    const answers = asked.map((i) =>
      i % 2 === 0
        ? client.predicted(echo, { number: i })
        : client.predicted(pairs, { a: [[i]], b: [[1]] }, { outputs: ['sum'] }),
    );
    for (const [i, { predictions }] of (await Promise.all(answers)).entries()) {
      expect(predictions).toEqual(i % 2 === 0 ? { number: i } : { sum: [[i + 1]] });
    }
  });

  it('does not wait for one that takes longer', async () => {
    const gate = await Gate.start();
    const gated = await server.admin.deploy('gated', { gate: gate.url });
    client.send({ id: 'slow', deploymentId: gated, data: 'slow' });
    await gate.arrived(1);
    await client.predicted(flowers, flower);
    expect(client.waiting('slow')).toBe(0);
    gate.release('slow');
    expect(await client.next('slow')).toMatchObject({ done: true, predictions: 'slow' });
  });

  it('may use an id again that has been answered', async () => {
    for (const data of [1, 2, 3]) {
      client.send({ id: 'again', deploymentId: echo, data });
      expect(await client.next('again')).toMatchObject({ done: true, predictions: data });
    }
  });

  it('that fails gets an error with its place, and the connection goes on', async () => {
    const cases = [
      { frame: { deploymentId: flowers, data: [[1, 2]] }, code: 'invalid_input', path: 'data[0]' },
      { frame: { deploymentId: 'dep_none', data: [] }, code: 'deployment_not_found' },
      { frame: { deploymentId: flowers, options: {} }, code: 'invalid_input', path: 'data' },
      { frame: { deploymentId: 5, data: 1 }, code: 'invalid_input', path: 'deploymentId' },
      { frame: { deploymentId: flowers, data: flower, stream: true }, path: 'stream' },
    ];
    for (const { frame, ...error } of cases) {
      client.send({ id: 'wrong', ...frame });
      const answer = await client.next('wrong');
      expect(answer.error, JSON.stringify(frame)).toMatchObject(error);
      expect(answer.error?.detail.length).toBeGreaterThan(20);
    }
    await client.predicted(flowers, flower);
  });

  it('is on its user’s account, answered or not', async () => {
    const ada = await server.user('ada');
    const own = await ada.deploy('irisClassification');
    const socket = await SocketClient.open(server, ada.key);
    await socket.predicted(own, [...flower, ...flower]);
    socket.send({ id: 1, deploymentId: own, data: 'no flower' });
    await socket.next(1);
    const { json } = await ada.send('GET', '/usage');
    expect(json).toMatchObject({
      userId: 'ada',
      totalRequests: 2,
      byModel: { irisClassification: { requests: 2, rows: 2, errors: 1 } },
    });
  });

  it('reaches no other user’s deployment, and needs the permission to predict', async () => {
    const bob = await server.user('bob');
    const socket = await SocketClient.open(server, bob.key);
    socket.send({ id: 1, deploymentId: flowers, data: flower });
    expect((await socket.next(1)).error?.code).toBe('deployment_not_found');
    const reader = await server.user('eve', { permissions: ['usage'] });
    await expect(SocketClient.open(server, reader.key)).rejects.toThrow('403');
    const other = await SocketClient.open(server, undefined, { anonymous: true });
    other.send({ auth: reader.key });
    expect((await other.next(null)).error?.code).toBe('forbidden');
    expect(await other.closed).toEqual({ code: 1008, reason: 'forbidden' });
  });

  it('counts against its key’s rate limit', async () => {
    const carl = await server.user('carl', { rateLimit: 2 });
    const own = await SocketClient.open(server, carl.key);
    const codes: (string | undefined)[] = [];
    for (const id of [1, 2, 3]) {
      own.send({ id, deploymentId: 'dep_none', data: 1 });
      codes.push((await own.next(id)).error?.code);
    }
    expect(codes).toEqual(['deployment_not_found', 'deployment_not_found', 'rate_limited']);
  });
});

describe('a binary frame', () => {
  const tensor = (type: string, dims: number[], name?: string) => ({ name, type, dims });

  it('carries a model’s input without JSON', async () => {
    const header = { id: 1, deploymentId: flowers, tensors: [tensor('float32', [2, 4])] };
    client.sendTensors(header, Float32Array.of(5.1, 3.5, 1.4, 0.2, 6.7, 3, 5.2, 2.3));
    const rows = [...flower, [6.7, 3, 5.2, 2.3]];
    const { predictions } = await server.admin.predicted(flowers, rows);
    expect(await client.next(1)).toMatchObject({ id: 1, done: true, predictions });
  });

  it('carries several by their names, in any order, and scalars', async () => {
    client.sendTensors(
      {
        id: 1,
        deploymentId: pairs,
        tensors: [tensor('float32', [1, 2], 'b'), tensor('float32', [1, 2], 'a')],
      },
      Float32Array.of(10, 20),
      Float32Array.of(1, 2),
    );
    expect((await client.next(1)).predictions).toEqual({ sum: [[11, 22]], total: [33] });
    client.sendTensors(
      {
        id: 2,
        deploymentId: scaled,
        tensors: [tensor('float32', [], 'factor'), tensor('float32', [1, 2], 'x')],
      },
      Float32Array.of(3),
      Float32Array.of(1, 2),
    );
    expect((await client.next(2)).predictions).toEqual([[3, 6]]);
  });

  it('comes back where one is asked for, whatever the request was', async () => {
    client.send({ id: 1, deploymentId: pairs, data: { a: [[1, 2]], b: [[3, 4]] }, binary: true });
    const answer = await client.next(1);
    expect(answer).toMatchObject({
      id: 1,
      done: true,
      tensors: [tensor('float32', [1, 2], 'sum'), tensor('float32', [1], 'total')],
    });
    expect(answer).not.toHaveProperty('predictions');
    expect(floats(answer.bytes)).toEqual([4, 6, 10]);
  });

  it('carries strings', async () => {
    const text = (word: string) => {
      const bytes = Buffer.from(word);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([length, bytes]);
    };
    client.sendTensors(
      { id: 1, deploymentId: words, binary: true, tensors: [tensor('string', [1, 2])] },
      text('füñf'),
      text('two'),
    );
    const { tensors, bytes } = await client.next(1);
    expect(tensors?.map(({ name }) => name)).toEqual(['echo', 'index']);
    const echoed = Buffer.concat([text('füñf'), text('two')]);
    expect(bytes?.subarray(0, echoed.length)).toEqual(echoed);
  });

  it('joins the batches of JSON requests', async () => {
    const asked = Array.from({ length: 64 }, (_, i) => i);
    for (const i of asked) {
      if (i % 2 === 0)
        client.send({ id: i, deploymentId: scaled, data: { x: [[i, 1]], factor: 2 } });
      else {
        client.sendTensors(
          {
            id: i,
            deploymentId: scaled,
            tensors: [tensor('float32', [1, 2], 'x'), tensor('float32', [], 'factor')],
          },
          Float32Array.of(i, 1, 2),
        );
      }
    }
    for (const i of asked) expect((await client.next(i)).predictions).toEqual([[2 * i, 2]]);
  });

  it('brings plugins with code tensors, and takes theirs', async () => {
    const streams = await server.admin.deploy('streams');
    const open = { deploymentId: streams, stream: true, end: true, options: { mode: 'tensor' } };
    const data = Float32Array.of(1.5, -2, 0.25, 8);
    // A header of every length modulo 8 puts the data at every alignment.
    for (let length = 0; length < 8; length++) {
      const id = 'x'.repeat(length);
      client.sendTensors({ id, ...open, binary: true, tensors: [tensor('float32', [2, 2])] }, data);
      const [output] = await client.rest(id);
      expect(output).toMatchObject({ seq: 0, tensors: [{ type: 'float32', dims: [2, 2] }] });
      expect(floats(output?.bytes)).toEqual([3, -4, 0.5, 16]);
      expect(output!.bytesFrom! % 8).toBe(0);
    }
  });

  it('that does not fit is refused with the tensor and what was expected', async () => {
    const bytes = new Float32Array(8);
    const cases = [
      { tensors: [tensor('float64', [1, 4])], path: 'tensors[0].type' },
      { tensors: [tensor('float32', [1, 5])], path: 'tensors[0].dims' },
      { tensors: [tensor('float32', [4])], path: 'tensors[0].dims' },
      { tensors: [tensor('float32', [0, 4])], path: 'tensors[0].dims' },
      { tensors: [tensor('float32', [1, 4], 'nobody')], path: 'tensors[0].name' },
      { tensors: [tensor('float32', [3, 4])], path: 'tensors[0]' },
      { tensors: [tensor('float32', [2 ** 40, 4])], path: 'tensors[0].dims' },
      { tensors: [tensor('float32', [2 ** 30, 4])], path: 'tensors[0].dims' },
      { tensors: [tensor('float32', [2 ** 20, 4])], path: 'tensors[0]' },
      { tensors: [tensor('float32', [1, 4])], path: 'tensors' },
      { tensors: [], path: 'tensors' },
      { tensors: [{ dims: [1, 4] }], path: 'tensors[0].type' },
      { tensors: [{ type: 'float32', dims: [1, -4] }], path: 'tensors[0].dims' },
      { tensors: 5, path: 'tensors' },
    ] as { tensors: never; path: string }[];
    for (const { tensors, path } of cases) {
      client.sendTensors({ id: 1, deploymentId: flowers, tensors }, bytes);
      const { error } = await client.next(1);
      expect(error, JSON.stringify(tensors)).toMatchObject({ code: 'invalid_input', path });
    }
  });
});
