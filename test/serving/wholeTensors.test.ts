import { beforeAll, describe, expect, it } from 'vitest';
import { doubling } from '../support/awkward/shapes.js';
import { awkwardModels } from '../support/awkwardModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { addingPairs } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

const mostRows = 1_048_576;

let server: ServerProcess;
let socket: SocketClient;
const deployed = new Map<string, Promise<string>>();

/** A deployment of a model, made once. */
function deployment(name: string): Promise<string> {
  const known = deployed.get(name) ?? server.admin.deploy(name);
  deployed.set(name, known);
  return known;
}

beforeAll(async () => {
  const plugins = await pluginFolder([], {
    ...awkwardModels,
    addingPairs: { model: addingPairs() },
    anyShape: { model: doubling(['batch', 'width']) },
    anyDepth: { model: doubling(['batch', 'height', 'width']) },
    anyShapeWhole: {
      model: doubling(['batch', 'width']),
      config: 'serving: {maxBatchSize: 0}',
    },
    bytes: { model: doubling(['batch']) },
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  socket = await SocketClient.open(server);
});

/** @param data JSON text */
async function ask(name: string, data: string) {
  const path = `/predict/${await deployment(name)}`;
  return server.admin.send('POST', path, { body: `{"data": ${data}}` });
}

describe('a model that does not batch', () => {
  it.each([
    ['fourFeatures', '[1, 2, 3, 4]', { y: [2, 4, 6, 8], total: 10 }],
    ['fixedFours', '[[1,1,1],[2,2,2],[3,3,3],[4,4,4]]', [2, 4, 6, 8].map((n) => [n, n, n])],
    ['singleNumber', '21', 42],
    ['noInputs', '{}', [1, 2, 3]],
    ['pairProducts', '{"a": [[1, 2]], "b": [[3, 4], [5, 6], [7, 8]]}', [[11, 17, 23]]],
    ['meanOfAll', '[[1, 2], [3, 6]]', 3],
    ['unbatched', '[[1, 2, 3]]', [[2, 4, 6]]],
  ])('takes its tensors as they are: %s', async (name, data, predictions) => {
    const { status, json, text } = await ask(name, data);
    expect(status, text).toBe(200);
    expect(json).toMatchObject({ predictions });
  });

  it.each([
    ['pairProducts', '{"a": [], "b": [[3, 4], [5, 6]]}', []],
    ['pairProducts', '{"a": [[1, 2], [3, 4]], "b": []}', [[], []]],
    ['unbatched', '[]', []],
    ['anyShapeWhole', '[[], [], []]', [[], [], []]],
  ])('takes empty ones where an axis is open: %s %s', async (name, data, predictions) => {
    const { status, json, text } = await ask(name, data);
    expect(status, text).toBe(200);
    expect(json).toMatchObject({ predictions });
  });

  it('runs a request at once, however many rows it has', async () => {
    // Centred by their own mean, which is 0: batches of 32 of them would have others.
    const rows = Array.from({ length: 101 }, (_, row) => [row - 50, 2 * (row - 50), 50 - row]);
    const { json } = await ask('centred', JSON.stringify(rows));
    expect(json).toMatchObject({ predictions: rows });
  });

  it.each([
    ['fourFeatures', '[1, 2, 3]', 'data'],
    ['fourFeatures', '[1, 2, 3, 4, 5]', 'data'],
    ['fourFeatures', '[]', 'data'],
    ['fourFeatures', '[[1, 2, 3, 4]]', 'data[0]'],
    ['fourFeatures', '[1, 2, null, 4]', 'data[2]'],
    ['fourFeatures', '{"x": [1, 2, 3, 4]}', 'data'],
    ['fourFeatures', '4', 'data'],
    ['fixedFours', '[[1, 2, 3]]', 'data'],
    ['fixedFours', '[[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3]]', 'data'],
    ['fixedFours', '[[1, 2, 3], [1, 2, 3], [1, 2], [1, 2, 3]]', 'data[2]'],
    ['singleNumber', '[1]', 'data'],
    ['singleNumber', '"1"', 'data'],
    ['noInputs', '[]', 'data'],
    ['noInputs', '{"x": 1}', 'data'],
    ['pairProducts', '[[1, 2]]', 'data'],
    ['pairProducts', '{"a": [[1, 2]]}', 'data.b'],
    ['pairProducts', '{"a": [[1, 2]], "b": [[1, 2]], "c": [[1, 2]]}', 'data'],
    ['pairProducts', '{"a": [[1, 2]], "b": [[1, 2], [3]]}', 'data.b[1]'],
    ['pairProducts', '[{"a": [1, 2], "b": [3, 4]}]', 'data'],
    ['stateOnSecondAxis', '{"x": [[1, 2]], "state": [[[1, 2]]]}', 'data.state'],
  ])('refuses what does not fit: %s %s', async (name, data, path) => {
    const { status, json, text } = await ask(name, data);
    expect(status, text).toBe(422);
    expect(json).toMatchObject({ code: 'invalid_input', path });
  });
});

describe('a model whose rows are its batch', () => {
  it.each([
    [
      'oneByOne',
      '[[1, 2, 3, 4], [5, 6, 7, 8]]',
      [
        [2, 4, 6, 8],
        [10, 12, 14, 16],
      ],
    ],
    ['paddedFours', '[[1, 2, 3]]', [[2, 4, 6]]],
    [
      'paddedFours',
      '[[1,1,1],[2,2,2],[3,3,3],[4,4,4],[5,5,5]]',
      [2, 4, 6, 8, 10].map((n) => [n, n, n]),
    ],
    ['anyWidth', '[[], []]', [0, 0]],
    ['anyShape', '[[], [], []]', [[], [], []]],
  ])('takes any number of them: %s %s', async (name, data, predictions) => {
    const { status, json, text } = await ask(name, data);
    expect(status, text).toBe(200);
    expect(json).toMatchObject({ predictions });
  });

  it.each([
    ['oneByOne', '[]', 'data'],
    ['oneByOne', '[1, 2, 3, 4]', 'data[0]'],
    ['oneByOne', '[[1, 2, 3, 4], [5, 6, 7]]', 'data[1]'],
    ['paddedFours', '[]', 'data'],
    ['unnamedAxes', '[]', 'data'],
    ['addingPairs', '{"a": [], "b": []}', 'data.a'],
    ['addingPairs', '{"a": [[1]], "b": [[1], [2]]}', 'data.b'],
    ['numberedClasses', '[[1, 2, 3]]', 'data[0]'],
  ])('refuses what are no rows of it: %s %s', async (name, data, path) => {
    const { status, json, text } = await ask(name, data);
    expect(status, text).toBe(422);
    expect(json).toMatchObject({ code: 'invalid_input', path });
  });
});

describe('the rows of a request', () => {
  it(`are at most ${mostRows}`, async () => {
    const rows = (count: number) => `[${'0,'.repeat(count - 1)}0]`;
    const most = await ask('bytes', rows(mostRows));
    expect(most.status).toBe(200);
    const { status, json } = await ask('bytes', rows(mostRows + 1));
    expect(status).toBe(422);
    expect(json).toMatchObject({ path: 'data', detail: expect.stringContaining('1048576') });
  });

  it.each([
    ['anyShape', [2 ** 31 - 1, 0]],
    ['anyShape', [mostRows + 1, 0]],
    ['anyShapeWhole', [2 ** 31 - 1, 0]],
    ['anyDepth', [1, 2 ** 31 - 1, 0]],
  ])('are refused where a small frame declares many that are empty: %s %j', async (name, dims) => {
    const id = `${name} ${dims}`;
    const tensors = [{ name: 'x', type: 'float32', dims }];
    socket.sendTensors({ id, deploymentId: await deployment(name), tensors });
    expect(await socket.next(id)).toMatchObject({
      error: { code: 'invalid_input', path: 'tensors[0].dims' },
    });
  });

  it('may be empty, as many as there may be', async () => {
    const id = 'empty rows';
    const tensors = [{ name: 'x', type: 'float32', dims: [1000, 0] }];
    const deploymentId = await deployment('anyShape');
    socket.sendTensors({ id, deploymentId, tensors, binary: true });
    expect(await socket.next(id)).toMatchObject({
      done: true,
      tensors: [{ name: 'y', type: 'float32', dims: [1000, 0] }],
    });
  });
});

describe('a frame’s tensor', () => {
  it.each([
    ['fourFeatures', [3], 12],
    ['fourFeatures', [1, 4], 16],
    ['fixedFours', [3, 3], 36],
    ['singleNumber', [1], 4],
    ['oneByOne', [2, 3], 24],
    ['oneByOne', [0, 4], 0],
  ])('is refused where it does not fit: %s %j', async (name, dims, bytes) => {
    const id = `${name} ${dims}`;
    const tensors = [{ name: 'x', type: 'float32', dims }];
    const deploymentId = await deployment(name);
    socket.sendTensors({ id, deploymentId, tensors }, new Uint8Array(bytes));
    expect(await socket.next(id)).toMatchObject({
      error: { code: 'invalid_input', path: 'tensors[0].dims' },
    });
  });
});
