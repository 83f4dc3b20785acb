import { GraphBuilder } from 'cloudeasyml/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import { awkwardModels } from '../support/awkwardModels.js';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

/** x: [?, 2] → a map from class to x / 4 for each row, and nothing else. */
function mapsAlone(): Uint8Array {
  const graph = new GraphBuilder('mapsAlone');
  const x = graph.input('x', 'float32', [null, 2]);
  const quarter = graph.node('Mul', [x, graph.constant('quarter', 'float32', [], [0.25])]);
  graph.node('ZipMap', [quarter], {
    domain: 'ai.onnx.ml',
    outputs: ['scores'],
    attributes: { classlabels_int64s: [-7n, 40n] },
  });
  graph.output('scores', { sequence: { map: 'int64', to: { tensor: 'float32', dims: [] } } });
  return graph.toModel();
}

/** x: [batch, 2] → y = x, declared as something that might be missing. */
function optionalRows(): Uint8Array {
  const graph = new GraphBuilder('optionalRows');
  const x = graph.input('x', 'float32', ['batch', 2]);
  graph.node('Optional', [x], { outputs: ['y'] });
  graph.output('y', { optional: { tensor: 'float32', dims: ['batch', 2] } });
  return graph.toModel();
}

/** A sequence → its length. */
function sequenceInput(): Uint8Array {
  const graph = new GraphBuilder('sequenceInput');
  const other = graph.input('other', { sequence: { tensor: 'float32', dims: [null] } });
  graph.node('SequenceLength', [other], { outputs: ['y'] });
  graph.output('y', 'int64', []);
  return graph.toModel();
}

/** A map → its values under two keys. */
function mapInput(): Uint8Array {
  const graph = new GraphBuilder('mapInput');
  const other = graph.input('other', { map: 'string', to: { tensor: 'float32', dims: [] } });
  graph.node('DictVectorizer', [other], {
    domain: 'ai.onnx.ml',
    outputs: ['y'],
    attributes: { string_vocabulary: ['a', 'b'] },
  });
  graph.output('y', 'float32', [1, 2]);
  return graph.toModel();
}

let server: ServerProcess;
let client: HttpClient;

beforeAll(async () => {
  const plugins = await pluginFolder([], {
    numberedClasses: awkwardModels.numberedClasses!,
    mapsAlone: { model: mapsAlone() },
    optionalRows: { model: optionalRows() },
    sequenceInput: { model: sequenceInput() },
    mapInput: { model: mapInput() },
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  client = server.admin;
});

const rows = [
  [1, 2],
  [-4, 9],
];
const records = [
  { '-7': 0.25, '40': 0.5 },
  { '-7': -1, '40': 2.25 },
];

describe('a map for each row', () => {
  it('is a record of its own', async () => {
    const maps = await client.deploy('mapsAlone');
    expect((await client.predicted(maps, rows)).predictions).toEqual(records);
  });

  it('may be asked for by its name, or left out', async () => {
    const classes = await client.deploy('numberedClasses');
    const ask = async (outputs: string[]) =>
      (await client.predicted(classes, [[3, 1]], { outputs })).predictions;
    expect(await ask(['output_label'])).toEqual({ output_label: [2] });
    expect(await ask(['output_probability'])).toEqual({
      output_probability: [{ '0': 3, '1': 1, '2': 97 }],
    });
  });

  it('stands in the header of a binary answer', async () => {
    const socket = await SocketClient.open(server);
    const maps = await client.deploy('mapsAlone');
    socket.send({ id: 'maps', deploymentId: maps, data: rows, binary: true });
    const { tensors, predictions, bytes } = await socket.next('maps');
    expect({ tensors, predictions }).toEqual({ tensors: [], predictions: { scores: records } });
    expect(bytes).toHaveLength(0);

    const classes = await client.deploy('numberedClasses');
    const options = { outputs: ['output_label'] };
    socket.send({ id: 'label', deploymentId: classes, data: [[3, 1]], options, binary: true });
    const label = await socket.next('label');
    expect(label.tensors).toEqual([{ name: 'output_label', type: 'int64', dims: [1] }]);
    expect(label.predictions).toBeUndefined();
    expect(label.bytes?.readBigInt64LE()).toBe(2n);
  });

  it('may hold what is no number, and the answer says so', async () => {
    const maps = await client.deploy('mapsAlone');
    const socket = await SocketClient.open(server);
    const tensors = [{ type: 'float32', dims: [1, 2] }];
    socket.sendTensors({ id: 1, deploymentId: maps, tensors }, Float32Array.of(Number.NaN, 4));
    expect(await socket.next(1)).toMatchObject({
      predictions: [{ '-7': null, '40': 1 }],
      metadata: { nonFinite: true },
    });
  });
});

describe('what no request or answer can carry', () => {
  it.each([
    ['sequenceInput', 'input "other"'],
    ['mapInput', 'input "other"'],
    ['optionalRows', 'output "y"'],
  ])('keeps a model from being served: %s', async (modelName, place) => {
    const { status, json } = await client.send('POST', '/deployments', { json: { modelName } });
    expect(status).toBe(500);
    const detail = expect.stringContaining(place);
    expect(json).toMatchObject({ code: 'model_load_failed', detail });
  });
});
