import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mergeConfig, readPluginConfig, servingDefaults } from '../../dist/plugin/config.js';
import { temporaryFolder, useTemporaryData } from './temporaryFolder.js';

let data: string;
beforeAll(async () => {
  data = await useTemporaryData();
});

async function read(yaml: string, kind: 'code' | 'onnx' = 'code') {
  return readPluginConfig(await temporaryFolder({ 'config.yaml': yaml }), kind);
}

async function failure(yaml: string): Promise<string> {
  const error: Error = await read(yaml).then(
    () => expect.unreachable(),
    (reason) => reason,
  );
  return error.message.replace(/\S*\/config\.yaml/g, 'config.yaml');
}

describe('config.yaml', () => {
  test('may be missing, empty or only comments: everything is at its default', async () => {
    const defaults = {
      maxBatchSize: 32,
      batchAxis: 'auto',
      maxQueueDelayUs: 0,
      maxQueueSize: 1024,
      maxStreams: 1024,
      loadTimeoutMs: 300_000,
      timeoutMs: 30_000,
      executionProviders: ['cpu'],
      session: {},
    };
    const absent = await readPluginConfig(await temporaryFolder(), 'code');
    expect(absent).toMatchObject({ config: {}, serving: defaults });
    for (const yaml of ['', '\n# nothing yet\n\n', '---\n', 'serving:\n']) {
      expect((await read(yaml)).serving).toEqual(defaults);
    }
  });

  test('holds every serving setting', async () => {
    const { config, serving } = await read(`
      threshold: 0.5
      words: {min: 1}
      serving:
        maxBatchSize: 1
        maxQueueDelayUs: 200
        maxQueueSize: 5
        maxStreams: 6
        loadTimeoutMs: 7
        timeoutMs: 1500
        executionProviders:
          - name: tensorrt
            trt_fp16_enable: true
          - cuda
        session:
          graphOptimizationLevel: extended
          intraOpThreads: 2
          interOpThreads: 1
          memoryPattern: false
          cpuArena: true
          optimizedModelCache: optimized
          configEntries: {session.set_denormal_as_zero: 1, a: b}
    `);
    expect(config).toEqual({ threshold: 0.5, words: { min: 1 } });
    expect(serving).toEqual({
      maxBatchSize: 1,
      batchAxis: 'auto',
      maxQueueDelayUs: 200,
      maxQueueSize: 5,
      maxStreams: 6,
      loadTimeoutMs: 7,
      timeoutMs: 1500,
      executionProviders: [{ name: 'tensorrt', trt_fp16_enable: true }, 'cuda'],
      session: {
        graphOptimizationLevel: 'extended',
        intraOpThreads: 2,
        interOpThreads: 1,
        memoryPattern: false,
        cpuArena: true,
        optimizedModelCache: path.join(data, 'optimized'),
        configEntries: { 'session.set_denormal_as_zero': '1', a: 'b' },
      },
    });
    expect((await read('serving: {executionProviders: auto}')).serving.executionProviders).toBe(
      'auto',
    );
  });

  test('says how a model without code is batched and what its classes are called', async () => {
    const { serving } = await read(
      'serving: {maxBatchSize: 0, batchAxis: rows, labels: {probabilities: [cat, 9], y: [a]}}',
      'onnx',
    );
    expect(serving).toEqual({
      ...servingDefaults,
      maxBatchSize: 0,
      batchAxis: 'rows',
      labels: { probabilities: ['cat', '9'], y: ['a'] },
    });
    const listed = await read('serving: {batchAxis: fixed, labels: [no, 1, "ja: schön"]}', 'onnx');
    expect(listed.serving).toMatchObject({ batchAxis: 'fixed', labels: ['no', '1', 'ja: schön'] });
  });

  test('may name a text file with a label on each line', async () => {
    const labelsOf = async (content: string) => {
      const files = { 'config.yaml': 'serving: {labels: names/all.txt}', 'names/all.txt': content };
      const { serving } = await readPluginConfig(await temporaryFolder(files), 'onnx');
      return serving.labels;
    };
    expect(await labelsOf('tench\ngold fish\n')).toEqual(['tench', 'gold fish']);
    expect(await labelsOf('\uFEFFtench\r\n žralok ')).toEqual(['tench', ' žralok ']);
    await expect(labelsOf('tench\n\nshark\n')).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'serving.labels',
      message: expect.stringMatching(
        /names\/all\.txt, line 2: expected a class name but received an empty line\.$/,
      ),
    });
    await expect(labelsOf('')).rejects.toThrow(
      'expected a class name on each line but it has none',
    );
    await expect(read('serving: {labels: none.txt}', 'onnx')).rejects.toThrow(
      /config\.yaml: serving\.labels names none\.txt, and there is no file \/.*\/none\.txt\.$/,
    );
  });

  test('leaves a code plugin its metadata key', async () => {
    expect((await read('metadata: {a: 1}')).config).toEqual({ metadata: { a: 1 } });
    expect((await read('metadata: {author: me}', 'onnx')).config).toEqual({});
  });

  test.each([
    [
      'serving: {maxBatchSize: -1}',
      'serving.maxBatchSize: expected an integer from 0 to 2147483647 but received -1.',
    ],
    ['serving: {maxBatchSize: 1.5}', 'but received 1.5.'],
    ['serving: {maxBatchSize: 1e12}', 'but received 1000000000000.'],
    ['serving: {maxBatchSize: [1]}', 'but received a list.'],
    ['serving: {maxBatchSize:}', 'but received null.'],
    ['serving: {maxQueueDelayUs: -1}', 'serving.maxQueueDelayUs: expected an integer from 0 to'],
    ['serving: 5', 'serving: expected a mapping but received 5.'],
    [
      'serving: {executionProviders: cuda}',
      'serving.executionProviders: expected a list of execution providers, or "auto" but received "cuda".',
    ],
    ['serving: {executionProviders: []}', 'but received an empty list.'],
    [
      'serving: {executionProviders: [cpu, 3]}',
      'serving.executionProviders[1]: expected the name of an execution provider, or a mapping with its name and its options but received 3.',
    ],
    [
      'serving: {executionProviders: [{cuda: {}}]}',
      'serving.executionProviders[0].name: expected the name of an execution provider',
    ],
    [
      'serving: {session: {graphOptimizationLevel: most}}',
      'serving.session.graphOptimizationLevel: expected one of disabled, basic, extended, all but received "most".',
    ],
    [
      'serving: {session: {intraOpThread: 1}}',
      'serving.session.intraOpThread: there is no such setting; did you mean intraOpThreads?',
    ],
    [
      'serving: {colour: 1}',
      'serving.colour: there is no such setting; those there are: maxBatchSize, batchAxis,',
    ],
    ['serving: {model: a.onnx}', 'serving.model: a plugin with code loads its own model.'],
    [
      'serving: {batchAxis: rows}',
      'serving.batchAxis: a plugin with code gets its requests as they are.',
    ],
    [
      'serving: {labels: none.txt}',
      'serving.labels: a plugin with code labels its answers itself.',
    ],
    [
      'serving: {batchAxis: columns}',
      'serving.batchAxis: expected one of auto, rows, fixed but received "columns".',
    ],
    [
      'serving: {labels: 5}',
      'serving.labels: expected a list of class names, a mapping from outputs to such lists, or the path of a text file but received 5.',
    ],
    [
      'serving: {labels: []}',
      'serving.labels: expected a list of class names but received an empty list.',
    ],
    [
      'serving: {labels: [cat, null]}',
      'serving.labels[1]: expected a class name but received null.',
    ],
    [
      'serving: {labels: {y: cat}}',
      'serving.labels.y: expected a list of class names but received "cat".',
    ],
    ['- 1', 'config.yaml: expected a mapping of settings but received a list.'],
    ['a: 1\na: 2', 'config.yaml, line 2: not valid YAML: duplicated mapping key.'],
    ['a: !!js/function x', 'config.yaml, line 1: not valid YAML: unknown scalar tag'],
  ])('is refused as %s', async (yaml, message) => {
    expect(await failure(yaml)).toContain(message);
  });

  test('is refused with the line of each fault, however it is written', async () => {
    const message = await failure(
      'model: {a: 1}\nserving: # the block\n  timeoutMs: 5\n\n  "maxBatchSize":\n    -1\n  session: {\n    cpuArena: yes,\n    }\n',
    );
    expect(message).toContain('config.yaml, line 5: serving.maxBatchSize: expected');
    expect(message).toContain(
      'line 8: serving.session.cpuArena: expected true or false but received "yes".',
    );
  });
});

describe('a deployment’s config', () => {
  const adder = {
    kind: 'code' as const,
    name: 'adder',
    directory: '/plugins/adder',
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
        session: { interOpThreads: 1 },
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
      session: { intraOpThreads: 2, interOpThreads: 1 },
    });
    expect(adder.config.words).toEqual({ min: 1, list: ['a', 'b'] });
    expect(adder.serving.session).toEqual({ intraOpThreads: 2 });
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
      'expected an integer from 0 to 2147483647 but received "x".',
    ],
    [
      { maxBatchSiz: 1 },
      'config.serving.maxBatchSiz',
      'there is no such setting; did you mean maxBatchSize?',
    ],
    ['fast', 'config.serving', 'expected a mapping but received "fast".'],
    [null, 'config.serving', 'expected a mapping but received null.'],
    [{ model: 'x.onnx' }, 'config.serving.model', 'adder has code, which loads its own model.'],
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

  test('chooses another model file of a plugin with no code, in its folder only', async () => {
    const folder = await temporaryFolder({
      'iris/model.onnx': '',
      'iris/small.onnx': '',
      'other.onnx': '',
    });
    const directory = path.join(folder, 'iris');
    const modelFile = path.join(directory, 'model.onnx');
    const iris = {
      ...adder,
      kind: 'onnx' as const,
      name: 'iris',
      config: {},
      directory,
      modelFile,
    };
    const choose = (model: string) => mergeConfig(iris, { serving: { model } });

    expect(mergeConfig(iris).modelFile).toBe(modelFile);
    expect(choose('small.onnx').modelFile).toBe(path.join(directory, 'small.onnx'));
    expect(() => choose('../other.onnx')).toThrow(
      'config.serving.model: expected a file in the plugin’s folder.',
    );
    expect(() => choose('/etc/passwd')).toThrow('expected a file in the plugin’s folder.');
    expect(() => choose('none.onnx')).toThrow('there is no file none.onnx in the plugin’s folder.');
    expect(() => mergeConfig(iris, { maxBatchSize: 3 })).toThrow(
      'config.maxBatchSize: there is no such setting',
    );
  });
});
