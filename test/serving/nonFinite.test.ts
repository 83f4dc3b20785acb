import { GraphBuilder } from 'cloudeasyml/onnx';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { floats, SocketClient } from '../support/socketClient.js';

type FloatType = 'float32' | 'float64' | 'float16';

/** x: [batch, 2] → root = √x, inverse = 1 / x: both [batch, 2]. */
function rootAndInverse(type: FloatType): Uint8Array {
  const graph = new GraphBuilder('rootAndInverse');
  const x = graph.input('x', type, ['batch', 2]);
  graph.node('Sqrt', [x], { outputs: ['root'] });
  graph.node('Reciprocal', [x], { outputs: ['inverse'] });
  graph.output('root', type, ['batch', 2]);
  graph.output('inverse', type, ['batch', 2]);
  return graph.toModel();
}

const types: FloatType[] = ['float32', 'float64', 'float16'];

let server: ServerProcess;
let client: HttpClient;

beforeAll(async () => {
  const models = types.map((type) => [type, { model: rootAndInverse(type) }] as const);
  const plugins = await pluginFolder([], Object.fromEntries(models));
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  client = server.admin;
});

describe.each(types)('NaN and infinities of %s', (type) => {
  let deploymentId: string;
  beforeAll(async () => {
    deploymentId = await client.deploy(type, { serving: { maxQueueDelayUs: 2000 } });
  });

  it('are null in JSON, and the answer says so', async () => {
    const { predictions, metadata } = await client.predicted(deploymentId, [
      [4, 0],
      [-1, 0.25],
    ]);
    expect(predictions).toEqual({
      root: [
        [2, 0],
        [null, 0.5],
      ],
      inverse: [
        [0.25, null],
        [-1, 4],
      ],
    });
    expect(metadata).toMatchObject({ modelName: type, nonFinite: true });
  });

  it('are not spoken of where there are none', async () => {
    const { metadata } = await client.predicted(deploymentId, [[4, 1]]);
    expect(metadata).not.toHaveProperty('nonFinite');
    // They are only in the output that was not asked for.
    const some = await client.predicted(deploymentId, [[4, 0]], { outputs: ['root'] });
    expect(some.predictions).toEqual({ root: [[2, 0]] });
    expect(some.metadata).not.toHaveProperty('nonFinite');
  });

  it('concern nobody else in their batch', async () => {
    const answers = Array.from({ length: 50 }, async (_, i) => {
      const { metadata } = await client.predicted(deploymentId, [[4, i % 2]]);
      expect(metadata.nonFinite).toBe(i % 2 === 0 ? true : undefined);
    });
    await Promise.all(answers);
  });
});

describe('in bytes', () => {
  it('NaN and infinities come and go as they are', async () => {
    const deploymentId = await client.deploy('float32');
    const socket = await SocketClient.open(server);
    const tensors = [{ type: 'float32', dims: [2, 2] }];
    const x = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0);
    socket.sendTensors({ id: 1, deploymentId, tensors, binary: true }, x);
    const { bytes } = await socket.next(1);
    const { NaN: none, POSITIVE_INFINITY: infinite } = Number;
    expect(floats(bytes)).toEqual([none, infinite, none, 0, none, 0, -0, infinite]);
  });
});
