import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { describe, expect, test } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { addingPairs, scaling } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';
import { webGpuEnvironment as env } from '../support/webGpu.js';

const folder = temporaryFolder();
const fixture = path.join(import.meta.dirname, 'fixtures', 'webGpu.mjs');

/** What the fixture wrote. A crash of its process throws. */
function onWebGpu(way: string, ...files: string[]) {
  const output = execFileSync(process.execPath, [fixture, way, ...files], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

/** sum = x + state */
function adder(name: string): string {
  const graph = new GraphBuilder(name);
  const x = graph.input('x', 'float32', ['n']);
  const state = graph.input('state', 'float32', ['n']);
  graph.node('Add', [x, state], { outputs: ['sum'] });
  graph.output('sum', 'float32', ['n']);
  return writeIn(folder, `${name}.onnx`, graph.toModel());
}

/** Outputs that the device computes, that the CPU computes, and that nobody needs to. */
function mixed(): string {
  const graph = new GraphBuilder('mixed');
  const x = graph.input('x', 'float32', [3]);
  graph.constant('kept', 'float32', [2], [7, 8]);
  graph.node('Relu', [x], { outputs: ['positive'] });
  graph.node('Shape', [x], { outputs: ['shape'] });
  graph.node('Identity', ['kept'], { outputs: ['constant'] });
  graph.output('positive', 'float32', [3]);
  graph.output('shape', 'int64', [1]);
  graph.output('constant', 'float32', [2]);
  return writeIn(folder, 'mixed.onnx', graph.toModel());
}

describe.skipIf(!env)('on WebGPU', () => {
  test('an output lies where it says, and is right wherever it lies', () => {
    const values = { positive: [1, 0, 3], shape: [3], constant: [7, 8] };
    expect(onWebGpu('places', mixed())).toEqual({
      executionProviders: ['webgpu', 'cpu'],
      values,
      places: { positive: 'webgpu', shape: 'cpu', constant: 'cpu' },
      pinned: values,
    });
  });

  test('an output that stays on the device is the next run’s input', () => {
    expect(onWebGpu('feedBack', adder('feedBack'))).toEqual({
      places: ['webgpu'],
      sum: [201, 402, 603],
    });
  });

  test.each([
    ['one session', [adder('shared'), adder('shared')]],
    ['a session each', [adder('first'), adder('second')]],
  ])('two workers at once with %s get their own answers', (_, files) => {
    expect(onWebGpu('workers', ...files)).toEqual([0, 0]);
  });

  test('two deployments answer many clients at once', async () => {
    const config = 'serving: {executionProviders: [webgpu], maxBatchSize: 4}';
    const plugins = await pluginFolder([], {
      addingPairs: { model: addingPairs(), config },
      scaling: { model: scaling(), config },
    });
    const server = await ServerProcess.start({ plugins: [plugins], workers: 2, env });
    const [pairs, scaled] = await Promise.all([
      server.admin.deploy('addingPairs'),
      server.admin.deploy('scaling'),
    ]);
    const answers = Array.from({ length: 40 }, async (_, i) => {
      const [pair, scale] = await Promise.all([
        server.admin.predicted(pairs, { a: [[i, 1]], b: [[2, i]] }),
        server.admin.predicted(scaled, { x: [[i, i + 1]], factor: 3 }),
      ]);
      expect(pair.predictions).toEqual({ sum: [[i + 2, i + 1]], total: [2 * i + 3] });
      expect(scale.predictions).toEqual([[3 * i, 3 * i + 3]]);
    });
    await Promise.all(answers);
    expect(await server.stop()).toBe(0);
  });
});
