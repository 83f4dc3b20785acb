import { realpath, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { mergeConfig } from '../../dist/plugin/overrides.js';
import { servingDefaults } from '../../dist/plugin/servingConfig.js';
import { temporaryFolder } from './temporaryFolder.js';

describe('a deployment’s config', () => {
  const adder = {
    kind: 'code' as const,
    name: 'adder',
    config: { offset: 1, words: { min: 1, list: ['a', 'b'] }, path: 'x' },
    serving: { ...servingDefaults, maxBatchSize: 8, session: { intraOpThreads: 2 } },
  };

  test('leaves everything as it is where it says nothing', () => {
    expect(mergeConfig(adder)).toEqual({ config: adder.config, serving: adder.serving });
    expect(mergeConfig(adder, {})).toEqual({ config: adder.config, serving: adder.serving });
  });

  test('merges mappings and replaces everything else', () => {
    const { config, serving } = mergeConfig(adder, {
      offset: null,
      words: { list: ['c'], max: 9 },
      path: { to: 'y' },
      more: [1],
      serving: {
        maxBatchSize: 4,
        executionProviders: [{ name: 'cuda', device_id: 1 }, 'cpu'],
      },
    });
    expect(config).toEqual({
      offset: null,
      words: { min: 1, list: ['c'], max: 9 },
      path: { to: 'y' },
      more: [1],
    });
    expect(serving).toEqual({
      ...servingDefaults,
      maxBatchSize: 4,
      executionProviders: [{ name: 'cuda', device_id: 1 }, 'cpu'],
      session: { intraOpThreads: 2 },
    });
    expect(adder.config.words).toEqual({ min: 1, list: ['a', 'b'] });
    expect(adder.serving.session).toEqual({ intraOpThreads: 2 });
  });

  test('is refused where it is nested beyond measure', () => {
    const nested = JSON.parse(`{"deep": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    expect(() => mergeConfig(adder, nested)).toThrow(
      'config.deep: expected settings that are at most 32 levels deep.',
    );
  });

  test('cannot reach the prototype', () => {
    const { config } = mergeConfig(
      adder,
      JSON.parse('{"__proto__": {"polluted": 1}, "words": {"__proto__": {"polluted": 1}}}'),
    );
    expect(Reflect.get(config, 'polluted')).toBeUndefined();
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test.each([
    [
      { maxBatchSize: 'x' },
      'config.serving.maxBatchSize',
      'expected an integer from 0 to 4096 but received "x".',
    ],
    [
      { maxBatchSiz: 1 },
      'config.serving.maxBatchSiz',
      'there is no such setting; did you mean maxBatchSize?',
    ],
    ['fast', 'config.serving', 'expected a mapping but received "fast".'],
    [null, 'config.serving', 'expected a mapping but received null.'],
    [{ model: 'x.onnx' }, 'config.serving.model', 'this can only be set in'],
    [
      { batchAxis: 'rows' },
      'config.serving.batchAxis',
      'adder has code, which gets its requests as they are.',
    ],
    [
      { labels: ['a'] },
      'config.serving.labels',
      'adder has code, which labels its answers itself.',
    ],
    [
      { labels: 'labels.txt' },
      'config.serving.labels',
      'expected a list of class names, or a mapping from outputs to such lists but received "labels.txt".',
    ],
    [{ maxBatchSize: 4097 }, 'config.serving.maxBatchSize', 'expected an integer from 0 to 4096'],
    [
      { maxQueueDelayUs: 1_000_001 },
      'config.serving.maxQueueDelayUs',
      'expected an integer from 0 to 1000000',
    ],
    [
      { maxQueueSize: 65_537 },
      'config.serving.maxQueueSize',
      'expected an integer from 1 to 65536',
    ],
    [{ timeoutMs: 9 }, 'config.serving.timeoutMs', 'expected an integer from 10 to 3600000'],
    [{ timeoutMs: 3_600_001 }, 'config.serving.timeoutMs', 'expected an integer from 10 to'],
    [{ maxStreams: 4097 }, 'config.serving.maxStreams', 'expected an integer from 1 to 4096'],
    [
      { session: {} },
      'config.serving.session',
      'this can only be set in the plugin’s config.yaml.',
    ],
    [
      { session: { intraOpThreads: 400 } },
      'config.serving.session.intraOpThreads',
      'this can only be set in the plugin’s config.yaml.',
    ],
    [
      { overrides: { 'model.path': '/' } },
      'config.serving.overrides.model.path',
      'this can only be set in the plugin’s config.yaml.',
    ],
    [
      { executionProviders: [{ name: 'cuda', device_id: '/dev/nvidia0' }] },
      'config.serving.executionProviders[0].device_id',
      'expected the number of a device but received "/dev/nvidia0".',
    ],
    [
      { executionProviders: new Array(9).fill('cpu') },
      'config.serving.executionProviders',
      'expected at most 8 execution providers.',
    ],
    [
      { session: { configEntries: {} } },
      'config.serving.session.configEntries',
      'this can only be set in the plugin’s config.yaml.',
    ],
    [
      { session: { optimizedModelCache: '/etc' } },
      'config.serving.session.optimizedModelCache',
      'this can only be set',
    ],
    [
      { executionProviders: ['cpu', { name: 'cuda', gpu_external_alloc: '1' }] },
      'config.serving.executionProviders[1].gpu_external_alloc',
      'this can only be set',
    ],
  ])('is refused with serving: %j', (serving, at, message) => {
    expect(() => mergeConfig(adder, { serving })).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        path: at,
        message: expect.stringContaining(`${at}: ${message}`),
      }),
    );
  });

  test('decides anew how a plugin with no code is batched and labelled', () => {
    const plugin = {
      ...adder,
      kind: 'onnx' as const,
      config: {},
      modelFile: '/plugins/adder/model.onnx',
      serving: { ...servingDefaults, batchAxis: 'rows' as const, labels: ['a', 'b'] },
    };
    const merged = (serving: Record<string, unknown>) => mergeConfig(plugin, { serving }).serving;
    expect(merged({})).toEqual(plugin.serving);
    expect(merged({ maxBatchSize: 0, batchAxis: 'fixed', labels: { y: ['c'] } })).toEqual({
      ...servingDefaults,
      maxBatchSize: 0,
      batchAxis: 'fixed',
      labels: { y: ['c'] },
    });
    // A mapping replaces what there was: an empty one leaves nothing labelled.
    expect(merged({ labels: {} }).labels).toEqual({});
  });

  test('may have as large batches as config.yaml', () => {
    const wide = { ...adder, serving: { ...adder.serving, maxBatchSize: 16_384 } };
    const { serving } = mergeConfig(wide, { serving: { maxBatchSize: 10_000 } });
    expect(serving.maxBatchSize).toBe(10_000);
    expect(() => mergeConfig(wide, { serving: { maxBatchSize: 16_385 } })).toThrow('16384');
  });

  test('names providers, whose options stay those of config.yaml', () => {
    const onGpu = {
      ...adder,
      serving: {
        ...adder.serving,
        executionProviders: [{ name: 'cuda', cudnn_conv_algo_search: 'DEFAULT' }, 'cpu'],
      },
    };
    const chosen = (executionProviders: unknown) =>
      mergeConfig(onGpu, { serving: { executionProviders } }).serving.executionProviders;
    expect(chosen([{ name: 'CUDA', device_id: 1 }])).toEqual([
      { name: 'cuda', cudnn_conv_algo_search: 'DEFAULT', device_id: 1 },
    ]);
    expect(chosen(['cpu', 'webgpu'])).toEqual(['cpu', 'webgpu']);
    expect(chosen('auto')).toBe('auto');
  });

  test('leaves a plugin with no code its model and gives it no other settings', () => {
    const iris = { ...adder, kind: 'onnx' as const, config: {}, modelFile: '/plugins/iris/m.onnx' };
    expect(mergeConfig(iris).modelFile).toBe('/plugins/iris/m.onnx');
    expect(() => mergeConfig(iris, { serving: { model: 'other.onnx' } })).toThrow(
      'config.serving.model: this can only be set in the plugin’s config.yaml.',
    );
    expect(() => mergeConfig(iris, { maxBatchSize: 3 })).toThrow(
      'config.maxBatchSize: there is no such setting',
    );
  });
});

describe('a setting that config.yaml closes for deployments', () => {
  const plugin = {
    kind: 'code' as const,
    name: 'capped',
    config: {
      limits: { rows: 10, inner: { depth: 2 } },
      sizes: [1, 2],
      free: { most: 3, more: 4 },
    },
    serving: {
      ...servingDefaults,
      overrides: { limits: 'none', sizes: 'none', 'free.most': 'none' },
    },
  };

  test.each([
    [{ limits: { rows: 11 } }, 'config.limits'],
    [{ limits: null }, 'config.limits'],
    [{ sizes: [] }, 'config.sizes'],
    [{ free: { most: 4 } }, 'config.free.most'],
    [{ free: 5 }, 'config.free'],
    [{ free: [] }, 'config.free'],
  ])('stays as it is there: %j', (config, at) => {
    expect(() => mergeConfig(plugin, config)).toThrow(
      expect.objectContaining({
        path: at,
        message: `${at}: this can only be set in the plugin’s config.yaml.`,
      }),
    );
  });

  test('leaves others beside it open', () => {
    expect(mergeConfig(plugin, { free: { more: 5 } }).config).toEqual({
      ...plugin.config,
      free: { most: 3, more: 5 },
    });
  });
});

describe('a path in a deployment’s config', () => {
  const plugin = {
    kind: 'code' as const,
    name: 'reader',
    config: { model: { path: '/models/usual' } },
    serving: servingDefaults,
  };

  test.each([
    [{ model: { path: '/etc' } }, 'config.model.path'],
    [{ model: { path: 'etc' } }, 'config.model.path'],
    [{ weightsFile: 'secret.bin' }, 'config.weightsFile'],
    [{ cache_dir: 'data' }, 'config.cache_dir'],
    [{ words: ['a', '../config.yaml'] }, 'config.words[1]'],
    [{ words: [{ in: '..' }] }, 'config.words[0].in'],
    [{ source: 'file:///etc/passwd' }, 'config.source'],
    [{ source: 'https://../../../etc/passwd' }, 'config.source'],
    [{ source: '~root' }, 'config.source'],
    [{ source: 'C:\\windows' }, 'config.source'],
    [{ byName: { '/etc/passwd': 1 } }, 'config.byName./etc/passwd'],
  ])('is refused: %j', (config, at) => {
    expect(() => mergeConfig(plugin, config)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        path: at,
        message: expect.stringContaining(
          `${at}: a deployment can’t set this to what may be a path.`,
        ),
      }),
    );
  });

  test.each([
    [{ profile: 'fast', xpath: 'a', threshold: 0.5, list: ['n.a.', true, null] }],
    [{ gate: 'http://127.0.0.1:8000/next?to=b' }],
  ])('is not what other settings hold: %j', (config) => {
    expect(mergeConfig(plugin, config).config).toMatchObject(config);
  });

  test('is taken where config.yaml opens the setting, within the folder that it names', async () => {
    const folder = await temporaryFolder({ 'models/small/model.onnx': '', 'secret/key': '' });
    const models = path.join(folder, 'models');
    await symlink(path.join(folder, 'secret'), path.join(models, 'link'));
    const overrides = { 'model.path': models, adapters: models, separator: 'any' };
    const opened = { ...plugin, serving: { ...servingDefaults, overrides } };
    const pathOf = (given: string) => mergeConfig(opened, { model: { path: given } }).config.model;

    const small = path.join(await realpath(models), 'small');
    expect(pathOf('small')).toEqual({ path: small });
    expect(pathOf(path.join(models, 'small'))).toEqual({ path: small });
    expect(mergeConfig(opened, { adapters: ['small'], separator: '/' }).config).toMatchObject({
      adapters: [small],
      separator: '/',
    });
    for (const outside of ['..', '../secret', '/etc/passwd', 'link/key', 'none', 'small/../../x']) {
      expect(() => pathOf(outside)).toThrow(
        'config.model.path: expected a path in the folder that the plugin’s config.yaml opens for it.',
      );
    }
  });
});
