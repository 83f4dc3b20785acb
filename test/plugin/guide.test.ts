import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BaseModel,
  InferenceSession,
  InputError,
  type PartialPredictionOutput,
} from 'cloudeasyml';
import { GraphBuilder } from 'cloudeasyml/onnx';
import sharp from 'sharp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { discoverPlugins } from '../../dist/plugin/discovery.js';
import { createModel, loadModelClass } from '../../dist/plugin/loadPlugin.js';
import { mergeConfig } from '../../dist/plugin/overrides.js';
import { servingDefaults } from '../../dist/plugin/servingConfig.js';
import { trainPlugin } from '../../dist/training/trainer.js';
import { streamContext } from '../support/streamContext.js';
import { temporaryFolder, useTemporaryData } from './temporaryFolder.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guide = await readFile(path.join(root, 'docs/pluginGuide.md'), 'utf8');

/** The guide's files: each block of code under a line that is a path in backticks. */
const files = Object.fromEntries(
  [...guide.matchAll(/^`([\w./]+)`\n\n```\w+\n(.*?)^```$/gms)].map(([, name, code]) => [
    name,
    code,
  ]),
);

/** A network whose scores are the mean of each channel: it tells red, green and blue. */
function channelMeans(): Uint8Array {
  const graph = new GraphBuilder('channelMeans');
  const pixels = graph.input('pixels', 'float32', ['batch', 3, 32, 32]);
  const means = graph.node('GlobalAveragePool', [pixels]);
  graph.node('Flatten', [means], { outputs: ['scores'] });
  graph.output('scores', 'float32', ['batch', 3]);
  return graph.toModel();
}

let folder: string;

beforeAll(async () => {
  await useTemporaryData();
  folder = await temporaryFolder({
    ...files,
    'plugins/imageLabels/model.onnx': channelMeans(),
    'plugins/flowers/model.onnx': channelMeans(),
  });
});

const plugins = () => discoverPlugins([path.join(folder, 'plugins')]);

async function deploy(name: string, config = {}): Promise<BaseModel> {
  const plugin = (await plugins()).find(name);
  const model = createModel(await loadModelClass(plugin), plugin, mergeConfig(plugin, config));
  await model.load();
  return model;
}

/** Runs one of the package's own tools on the guide's files, as they would be in a project that has it installed. */
async function tool(script: string, args: string[]) {
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules')).catch(() => {});
  const child = spawn(process.execPath, [path.join(root, 'node_modules', script), ...args], {
    cwd: folder,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

describe('the plugin guide', () => {
  test('has plugins that are all found, and none broken', async () => {
    const { broken, plugins: found } = await plugins();
    expect(broken).toEqual([]);
    expect(found.map(({ name }) => name)).toEqual([
      'flowers',
      'imageLabels',
      'reviewSentiment',
      'reviewTone',
      'rowSums',
      'smoothLevel',
      'trendForecast',
      'wordChain',
    ]);
  });

  test('names every serving key with its default', () => {
    const { session, ...own } = servingDefaults;
    expect(session).toEqual({});
    for (const [key, value] of Object.entries(own)) {
      const text = Array.isArray(value) ? `[${value}]` : String(value);
      const shown = typeof value === 'number' ? text : `\`${text}\``;
      expect(guide).toContain(`| \`${key}\` | ${shown} |`);
    }
  });

  test('describes a plugin with no code', async () => {
    const flowers = (await plugins()).find('flowers', '2.1.0');
    expect(flowers).toMatchObject({
      kind: 'onnx',
      serving: { maxBatchSize: 256, maxQueueDelayUs: 200 },
    });
  });
});

describe('the tutorial’s plugin', () => {
  test('answers by what comes with it, within its options', async () => {
    const model = await deploy('reviewSentiment', { threshold: 0.6 });
    const inputs = [
      { data: ['A wonderful story', 'Slow and boring'], options: {} },
      { data: 'wonderful', options: { threshold: 0.999 } },
    ];
    const outputs = await model.predictBatch!(inputs);

    expect(outputs).toMatchObject([
      { predictions: [{ label: 'good' }, { label: 'bad' }], metadata: { numInputs: 2 } },
      { predictions: [{ label: 'unsure' }] },
    ]);
    for (const [index, input] of inputs.entries()) {
      expect(await model.predict(input)).toEqual(outputs[index]);
    }
    expect(() => model.predict({ data: 'x', options: { threshold: 2 } })).toThrow(InputError);
    await model.unload();
    expect(model.healthCheck()).toMatchObject({ healthy: false });
  });

  test('learns from other data, and serves that from then on', async () => {
    const plugin = (await plugins()).find('reviewSentiment');
    const data = [
      { text: 'fast and cheap', label: 'buy' },
      { text: 'slow and dear', label: 'leave' },
    ];
    const result = await trainPlugin(plugin, { data, config: { smoothing: 0.1 } });
    expect(result).toMatchObject({ status: 'trained', metrics: { reviews: 2, words: 5 } });

    const model = await deploy('reviewSentiment');
    const { predictions } = await model.predict({ data: ['so cheap', 'so dear'], options: {} });
    expect(predictions).toMatchObject([{ label: 'buy' }, { label: 'leave' }]);
    await model.unload();

    await expect(trainPlugin(plugin, { data: [{ text: 'no label' }] })).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'data[0]',
    });
  });
});

describe('the patterns', () => {
  test('label pictures', async () => {
    const picture = async (background: string) => {
      const png = sharp({ create: { width: 5, height: 9, channels: 4, background } }).png();
      return (await png.toBuffer()).toString('base64');
    };
    const model = await deploy('imageLabels');
    const outputs = (await model.predictBatch!([
      { data: [await picture('red'), await picture('blue')], options: {} },
      { data: await picture('lime'), options: { topK: 2 } },
    ])) as PartialPredictionOutput[];

    expect(outputs.map(({ predictions }) => predictions)).toMatchObject([
      [[{ label: 'red', score: 1 }], [{ label: 'blue', score: 1 }]],
      [[{ label: 'green', score: 1 }, { score: 0 }]],
    ]);
    await expect(model.predict({ data: ['no picture'], options: {} })).rejects.toMatchObject({
      name: 'InputError',
      path: 'data[0]',
    });
    await model.unload();
  });

  test('continue a series, and better once trained on it', async () => {
    const line = Array.from({ length: 20 }, (_, i) => 3 + 2 * i);
    const untrained = await deploy('trendForecast');
    expect(await untrained.predict({ data: line, options: { horizon: 2 } })).toMatchObject({
      predictions: [expect.closeTo(43), expect.closeTo(45)],
    });

    const steps = [0, 0, 0, 0, 10, 10, 10, 10, 0, 0, 0, 0, 5, 5, 5, 5];
    const plugin = (await plugins()).find('trendForecast');
    const { metrics } = await trainPlugin(plugin, { data: steps });
    const trained = await deploy('trendForecast');
    const { metadata } = await trained.predict({ data: steps, options: {} });
    expect(metadata).toEqual({ factors: { level: metrics!.level, trend: metrics!.trend } });
    // What jumps is followed best by nearly forgetting the past.
    expect(metrics).toMatchObject({ level: 0.9, trend: 0.1 });
  });

  test('go on with a text, at once and as a stream', async () => {
    const model = await deploy('wordChain');
    const input = { data: 'who sent', options: { maxLength: 1, temperature: 0 } };
    expect(await model.predict(input)).toEqual({ predictions: 'who sent the' });
    const free = await model.predict({ data: 'the', options: { maxLength: 20, temperature: 1 } });
    expect(String(free.predictions).split(' ').length).toBeLessThanOrEqual(21);

    const words: unknown[] = [];
    const stop = new AbortController();
    const context = streamContext({ signal: stop.signal });
    async function* inputs() {
      yield input;
      yield { data: 'the', options: { maxLength: 50, temperature: 0 } };
    }
    for await (const { predictions } of model.stream!(inputs(), context)) {
      if (words.push(predictions) === 10) stop.abort();
    }
    expect(words).toHaveLength(10);
  });
});

describe('the steps of concurrent streams', () => {
  test('run together, and each stream keeps its own state', async () => {
    const model = await deploy('smoothLevel');
    const run = vi.spyOn(InferenceSession.prototype, 'run');
    const follow = async (values: number[]) => {
      async function* inputs() {
        for (const data of values) yield { data, options: {} };
      }
      const context = streamContext();
      const levels: unknown[] = [];
      for await (const { predictions } of model.stream!(inputs(), context))
        levels.push(predictions);
      return levels;
    };
    expect(await Promise.all([follow([4, 4, 4]), follow([0, 8])])).toEqual([
      [1, 1.75, 2.3125],
      [0, 2],
    ]);
    expect(run.mock.calls.map(([feeds]) => feeds.steps!.dims[0])).toEqual([2, 2, 1]);
    run.mockRestore();
    expect(await model.predict({ data: 2, options: {} })).toEqual({ predictions: 0.5 });
    await model.unload();
  });
});

describe('the plugins in one declaration', () => {
  test('answer by items, and by rows', async () => {
    const tone = await deploy('reviewTone');
    const answers = await tone.predictBatch!([
      { data: 'Excellent!', options: {} },
      { data: ['good and poor', 'awful'], options: {} },
      { data: 'unheard of', options: {} },
    ]);
    expect(answers).toEqual([{ predictions: 1 }, { predictions: [0, -1] }, expect.any(InputError)]);

    const sums = await deploy('rowSums');
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const joined = await sums.predictBatch!([
      { data: rows, options: {} },
      { data: [[1, 1, 1]], options: {} },
    ]);
    expect(JSON.parse(JSON.stringify(joined))).toEqual([
      { predictions: [[6], [15]] },
      { predictions: [[3]] },
    ]);
    await Promise.all([tone.unload(), sums.unload()]);
  });
});

describe('the code of the guide', () => {
  test('is strictly typed', async () => {
    // The package is not installed beside these files: its types are where the build put them.
    const types = (file: string) => [path.join(root, 'dist', file)];
    await writeFile(
      path.join(folder, 'tsconfig.check.json'),
      JSON.stringify({
        extends: './tsconfig.json',
        compilerOptions: {
          noUncheckedIndexedAccess: true,
          paths: {
            cloudeasyml: types('index.d.ts'),
            'cloudeasyml/onnx': types('onnx/index.d.ts'),
            'cloudeasyml/testing': types('testing/index.d.ts'),
          },
        },
      }),
    );
    const { code, output } = await tool('typescript/bin/tsc', ['-p', 'tsconfig.check.json']);
    expect(output.replaceAll(/^npm .*\n/gm, '')).toBe('');
    expect(code).toBe(0);
  });

  test('has unit tests that pass', async () => {
    await writeFile(
      path.join(folder, 'vitest.config.mjs'),
      `export default { resolve: { alias: [
        { find: /^cloudeasyml$/, replacement: ${JSON.stringify(path.join(root, 'dist/index.js'))} },
        { find: /^cloudeasyml\\/testing$/, replacement: ${JSON.stringify(path.join(root, 'dist/testing/index.js'))} },
        { find: /^cloudeasyml\\/onnx$/, replacement: ${JSON.stringify(path.join(root, 'dist/onnx/index.js'))} },
      ] } };`,
    );
    const { code, output } = await tool('vitest/vitest.mjs', ['run']);
    expect(output).toContain('4 passed');
    expect(code).toBe(0);
  });
});
