import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CloudEasyMLError } from '../../dist/errors.js';
import { defaultPluginFolders, discoverPlugins } from '../../dist/plugin/discovery.js';
import { adderSource, temporaryFolder, useTemporaryData } from './temporaryFolder.js';

beforeAll(useTemporaryData);

const model = 'not read until a deployment loads it';

describe('what counts as a plugin', () => {
  test('a folder with an index file is a code plugin, one with model.onnx needs no code', async () => {
    const folder = await temporaryFolder({
      'adder/index.ts': adderSource(),
      'adder/config.yaml': 'offset: 3\nserving:\n  maxBatchSize: 8\n',
      'iris/model.onnx': model,
      'flowers/config.yaml':
        'serving: {model: nets/v2.onnx}\nmetadata: {version: 2.0.1, tags: [a]}\n',
      'flowers/nets/v2.onnx': model,
    });
    const { plugins, broken } = await discoverPlugins([folder]);

    expect(broken).toEqual([]);
    expect(plugins.map(({ name, kind }) => [name, kind])).toEqual([
      ['adder', 'code'],
      ['flowers', 'onnx'],
      ['iris', 'onnx'],
    ]);
    const [adder, flowers, iris] = plugins;
    expect(adder).toMatchObject({
      directory: path.join(folder, 'adder'),
      entry: path.join(folder, 'adder/index.ts'),
      config: { offset: 3 },
      serving: { maxBatchSize: 8, maxQueueDelayUs: 0, executionProviders: ['cpu'] },
    });
    expect(adder?.modelFile).toBeUndefined();
    expect(flowers?.modelFile).toBe(path.join(folder, 'flowers/nets/v2.onnx'));
    expect(flowers?.metadata).toMatchObject({ name: 'flowers', version: '2.0.1', tags: ['a'] });
    expect(iris?.modelFile).toBe(path.join(folder, 'iris/model.onnx'));
    expect(iris?.config).toEqual({});
  });

  test('every form of index file is taken, and an index file comes before a model', async () => {
    const javascript = adderSource()
      .replace(/: PredictionInput| as number\[\]|: void/g, '')
      .replace(', type PredictionInput', '')
      .replace(/interface.*\n/, '')
      .replace('<AdderConfig>', '');
    const folder = await temporaryFolder({
      'js/index.js': javascript.replace("'adder'", "'js'"),
      'mjs/index.mjs': javascript.replace("'adder'", "'mjs'"),
      'mts/index.mts': adderSource({ name: 'mts' }),
      'both/index.ts': adderSource({ name: 'both' }),
      'both/model.onnx': model,
    });
    const { plugins, broken } = await discoverPlugins([folder]);

    expect(broken).toEqual([]);
    expect(plugins.map(({ name, kind }) => [name, kind])).toEqual([
      ['both', 'code'],
      ['js', 'code'],
      ['mjs', 'code'],
      ['mts', 'code'],
    ]);
  });

  test('files, hidden, underscored and foreign folders are passed over in silence', async () => {
    const folder = await temporaryFolder({
      'index.ts': adderSource(),
      'README.md': '# plugins',
      '.git/index.js': 'x',
      '_draft/index.ts': 'not even code',
      'node_modules/index.js': 'x',
      'notes/README.md': 'nothing to serve',
    });
    const { plugins, broken } = await discoverPlugins([folder]);

    expect(plugins).toEqual([]);
    expect(broken).toEqual([]);
  });

  test('a folder with a model under another name is broken, and says what would make it a plugin', async () => {
    const folder = await temporaryFolder({
      'named/small.onnx': '',
      'named/large.onnx': '',
      'configured/small.onnx': '',
      'configured/config.yaml': 'metadata: {author: me}',
    });
    const { plugins, broken } = await discoverPlugins([folder]);

    expect(plugins).toEqual([]);
    expect(broken).toMatchObject([
      {
        name: 'configured',
        reason: expect.stringMatching(
          /nor a model\.onnx\. It has small\.onnx, which nothing names\. .*: serving: \{model: small\.onnx\}\.$/,
        ),
      },
      {
        name: 'named',
        reason:
          'It has large.onnx, small.onnx, which nothing names. To serve it, call it model.onnx, or name ' +
          'it in a config.yaml beside it: serving: {model: large.onnx}.',
      },
    ]);
  });

  test('a plugin may be linked into the folder', async () => {
    const elsewhere = await temporaryFolder({ 'index.ts': adderSource() });
    const folder = await temporaryFolder();
    await symlink(elsewhere, path.join(folder, 'adder'));

    const { plugins } = await discoverPlugins([folder]);

    expect(plugins.map(({ name }) => name)).toEqual(['adder']);
  });
});

describe('metadata', () => {
  test('is complete, whatever the plugin leaves out', async () => {
    const folder = await temporaryFolder({ 'adder/index.ts': adderSource() });
    const catalog = await discoverPlugins([folder]);

    const [metadata] = catalog.list();
    expect(metadata).toEqual({
      name: 'adder',
      version: '1.2.3',
      description: '',
      author: '',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      tags: [],
      requirements: [],
      gpuRequired: false,
      minMemoryGb: 0,
      estimatedCostPerRequest: 0,
    });
    const age = Date.now() - Date.parse(metadata!.createdAt);
    expect(Math.abs(age)).toBeLessThan(3_600_000);
  });

  test('comes from the plugin where it says so, as its config has it', async () => {
    const folder = await temporaryFolder({
      'adder/index.ts': adderSource({
        metadata: `description: 'offset ' + this.config.offset, createdAt: '2020-02-02T00:00:00Z',
          tags: ['sum'], estimatedCostPerRequest: 0.001`,
      }),
      'adder/config.yaml': 'offset: 5',
    });
    const catalog = await discoverPlugins([folder]);

    expect(catalog.list()).toMatchObject([
      {
        description: 'offset 5',
        createdAt: '2020-02-02T00:00:00Z',
        tags: ['sum'],
        estimatedCostPerRequest: 0.001,
      },
    ]);
  });
});

describe('several plugins', () => {
  test('of two with one name the first is served and the second is broken', async () => {
    const first = await temporaryFolder({ 'adder/index.ts': adderSource() });
    const second = await temporaryFolder({ 'plus/index.ts': adderSource() });
    const { plugins, broken } = await discoverPlugins([first, second]);

    expect(plugins.map(({ directory }) => directory)).toEqual([path.join(first, 'adder')]);
    expect(broken).toEqual([
      {
        name: 'adder',
        directory: path.join(second, 'plus'),
        reason: `The name adder is taken by the plugin in ${path.join(first, 'adder')}.`,
      },
    ]);
  });

  test('a folder named twice is searched once', async () => {
    const folder = await temporaryFolder({ 'adder/index.ts': adderSource() });
    const { plugins, broken } = await discoverPlugins([folder, `${folder}/`]);

    expect(plugins).toHaveLength(1);
    expect(broken).toEqual([]);
  });

  test('a folder that is not there is reported, and the others are served', async () => {
    const folder = await temporaryFolder({ 'adder/index.ts': adderSource() });
    const missing = path.join(folder, 'no such folder');
    const { plugins, broken } = await discoverPlugins([missing, folder]);

    expect(plugins.map(({ name }) => name)).toEqual(['adder']);
    expect(broken).toMatchObject([
      { directory: missing, reason: `There is no plugin folder ${missing}.` },
    ]);
  });

  test('an empty folder gives an empty catalog', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'empty'));
    const catalog = await discoverPlugins([folder]);

    expect(catalog.list()).toEqual([]);
    expect(() => catalog.find('adder')).toThrow('There is no model adder. No plugin was found.');
  });
});

describe('finding a model', () => {
  test('takes its name and its version, or the latest', async () => {
    const folder = await temporaryFolder({ 'adder/index.ts': adderSource() });
    const catalog = await discoverPlugins([folder]);

    expect(catalog.find('adder').name).toBe('adder');
    expect(catalog.find('adder', 'latest')).toBe(catalog.find('adder', '1.2.3'));
  });

  test('fails with what there is', async () => {
    const folder = await temporaryFolder({
      'adder/index.ts': adderSource(),
      'iris/model.onnx': model,
      'torn/index.ts': 'const',
    });
    const catalog = await discoverPlugins([folder]);
    const find = (name: string, version?: string) => () => catalog.find(name, version);

    expect(find('ader')).toThrow('There is no model ader. Did you mean adder?');
    expect(find('sentiment')).toThrow(
      'There is no model sentiment. The models there are: adder, iris.',
    );
    expect(find('adder', '2.0.0')).toThrow(
      'There is no version 2.0.0 of the model adder; its version is 1.2.3.',
    );
    expect(find('torn')).toThrow('The plugin torn is broken; the server said why when it started.');
    expect(find('__proto__')).toThrow(CloudEasyMLError);
    expect(find('x')).toThrow(expect.objectContaining({ code: 'model_not_found' }));
  });
});

describe('the default folders', () => {
  afterEach(() => {
    delete process.env.CLOUDEASYML_PLUGINS;
  });

  test('are those of CLOUDEASYML_PLUGINS, else plugins', () => {
    expect(defaultPluginFolders()).toEqual(['plugins']);
    process.env.CLOUDEASYML_PLUGINS = '/srv/a:/srv/b:';
    expect(defaultPluginFolders()).toEqual(['/srv/a', '/srv/b']);
  });
});
