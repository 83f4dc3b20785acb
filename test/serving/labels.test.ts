import { GraphBuilder } from 'cloudeasyml/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { floats, SocketClient } from '../support/socketClient.js';

/** x: [batch, 3] → scores = x, largest: the place of each row's largest, int64 [batch]; and twice: 2x. */
function scoring({ withTwice }: { withTwice: boolean }): Uint8Array {
  const graph = new GraphBuilder('scoring');
  const x = graph.input('x', 'float32', ['batch', 3]);
  graph.node('Identity', [x], { outputs: ['scores'] });
  const attributes = { axis: 1n, keepdims: 0n };
  graph.node('ArgMax', [x], { outputs: ['largest'], attributes });
  graph.output('scores', 'float32', ['batch', 3]);
  graph.output('largest', 'int64', ['batch']);
  if (withTwice) {
    graph.node('Add', [x, x], { outputs: ['twice'] });
    graph.output('twice', 'float32', ['batch', 3]);
  }
  return graph.toModel();
}

/** x: [batch, 3] → y = x. */
function passing(type: 'float32' | 'float64' | 'int64'): Uint8Array {
  const graph = new GraphBuilder('passing');
  const x = graph.input('x', type, ['batch', 3]);
  graph.node('Identity', [x], { outputs: ['y'] });
  graph.output('y', type, ['batch', 3]);
  return graph.toModel();
}

const names = ['cat', 'dog', 'kůň "9"'];
const rows = [
  [0.25, 0.5, 0.125],
  [1, -2, 3],
];
const best = [
  { label: 'dog', score: 0.5 },
  { label: 'kůň "9"', score: 3 },
];

let server: ServerProcess;
let client: HttpClient;

beforeAll(async () => {
  const plugins = await pluginFolder([], {
    scoring: { model: scoring({ withTwice: false }) },
    scoringTwice: { model: scoring({ withTwice: true }) },
    passing: { model: passing('float32'), config: `serving: {labels: ${JSON.stringify(names)}}` },
    doubles: {
      model: passing('float64'),
      config: 'serving: {labels: classes.txt}',
      others: { 'classes.txt': `${names.join('\n')}\n` },
    },
    integers: { model: passing('int64') },
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  client = server.admin;
});

const predictions = async (deploymentId: string, options?: Record<string, unknown>) =>
  (await client.predicted(deploymentId, rows, options)).predictions;

describe('labels', () => {
  it('name the largest score of each row', async () => {
    expect(await predictions(await client.deploy('passing'))).toEqual(best);
  });

  it('may come from a file', async () => {
    expect(await predictions(await client.deploy('doubles'))).toEqual(best);
  });

  it('of a deployment go before those of its plugin', async () => {
    const labels = ['a', 'b', 'c'];
    const renamed = await client.deploy('passing', { serving: { labels } });
    expect(await predictions(renamed)).toEqual([
      { label: 'b', score: 0.5 },
      { label: 'c', score: 3 },
    ]);
    const none = await client.deploy('passing', { serving: { labels: {} } });
    expect(await predictions(none)).toEqual(rows);
  });

  it('as a list are those of the output that has so many scores', async () => {
    const scored = await client.deploy('scoring', { serving: { labels: names } });
    expect(await predictions(scored)).toEqual({ scores: best, largest: [1, 2] });
    expect(await predictions(scored, { outputs: ['scores'] })).toEqual({ scores: best });
  });

  it('as a mapping are those of the outputs that it names', async () => {
    const one = await client.deploy('scoringTwice', { serving: { labels: { scores: names } } });
    expect(await predictions(one)).toEqual({
      scores: best,
      largest: [1, 2],
      twice: rows.map((row) => row.map((value) => 2 * value)),
    });
    const labels = { scores: names, twice: ['a', 'b', 'c'] };
    const both = await client.deploy('scoringTwice', { serving: { labels } });
    expect(await predictions(both)).toEqual({
      scores: best,
      largest: [1, 2],
      twice: [
        { label: 'b', score: 1 },
        { label: 'c', score: 6 },
      ],
    });
  });

  it('leave binary answers as they are', async () => {
    const deploymentId = await client.deploy('passing');
    const socket = await SocketClient.open(server);
    socket.send({ id: 1, deploymentId, data: rows, binary: true });
    const { tensors, bytes } = await socket.next(1);
    expect(tensors).toEqual([{ name: 'y', type: 'float32', dims: [2, 3] }]);
    expect(floats(bytes)).toEqual(rows.flat());
  });

  it('go with the rows of many requests', async () => {
    const serving = { maxQueueDelayUs: 3000 };
    const deploymentId = await client.deploy('passing', { serving });
    const answers = Array.from({ length: 50 }, async (_, i) => {
      const row = [0, 0, 0];
      row[i % 3] = i + 1;
      const { predictions: found } = await client.predicted(deploymentId, [row, [9, 1, 1]]);
      expect(found).toEqual([
        { label: names[i % 3], score: i + 1 },
        { label: 'cat', score: 9 },
      ]);
    });
    await Promise.all(answers);
  });
});

describe('labels that fit no output, or more than one', () => {
  it.each([
    ['scoring', ['a', 'b']],
    ['scoring', { nothing: names }],
    ['scoring', { scores: ['a', 'b'] }],
    ['scoring', { largest: names }],
    ['integers', names],
    ['scoringTwice', names],
  ])('keep a deployment from being made: %s %j', async (modelName, labels) => {
    const json = { modelName, config: { serving: { labels } } };
    const answer = await client.send('POST', '/deployments', { json });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({
      code: 'invalid_input',
      detail: expect.stringContaining('serving.labels'),
    });
  });
});

describe('topK', () => {
  let deploymentId: string;
  beforeAll(async () => {
    deploymentId = await client.deploy('passing');
  });

  it('asks for the best few of each row, best first', async () => {
    expect(await predictions(deploymentId, { topK: 2 })).toEqual([
      [
        { label: 'dog', score: 0.5 },
        { label: 'cat', score: 0.25 },
      ],
      [
        { label: 'kůň "9"', score: 3 },
        { label: 'cat', score: 1 },
      ],
    ]);
    expect(await predictions(deploymentId, { topK: 1 })).toEqual(best.map((one) => [one]));
  });

  it('gives all where it is more than there are', async () => {
    const all = (await predictions(deploymentId, { topK: 1000 })) as { label: string }[][];
    expect(all.map((row) => row.map(({ label }) => label))).toEqual([
      ['dog', 'cat', 'kůň "9"'],
      ['kůň "9"', 'cat', 'dog'],
    ]);
  });

  it('leaves equal scores in the order of their labels', async () => {
    const { predictions: found } = await client.predicted(deploymentId, [[1, 2, 2]], { topK: 3 });
    expect(found).toMatchObject([[{ label: 'dog' }, { label: 'kůň "9"' }, { label: 'cat' }]]);
  });

  it('belongs to its request alone', async () => {
    const answers = Array.from({ length: 30 }, async (_, i) => {
      const options = i % 3 === 0 ? undefined : { topK: i % 3 };
      const found = await predictions(deploymentId, options);
      const lengths = (found as unknown[]).map((row) => (Array.isArray(row) ? row.length : 0));
      expect(lengths).toEqual([i % 3, i % 3]);
    });
    await Promise.all(answers);
  });

  it.each([0, -1, 1.5, '1', null, []])('is refused as %j', async (topK) => {
    const { status, json, text } = await client.predict(deploymentId, rows, { topK });
    expect(status, text).toBe(422);
    expect(json).toMatchObject({ code: 'invalid_input', path: 'options.topK' });
  });
});
