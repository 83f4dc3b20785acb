import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPluginConfig } from '../../dist/plugin/config.js';
import { servingDefaults } from '../../dist/plugin/servingConfig.js';
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

  test('takes a setting with nothing behind it for one that is left out', async () => {
    const { config } = await read('options:\nwords: {min: , list: [~]}\nserving: {session: }');
    expect(config).toEqual({ words: { list: [null] } });
  });

  test('says which settings deployments may override, and how', async () => {
    const directory = await temporaryFolder({
      'config.yaml':
        'serving: {overrides: {model.path: variants, other: /models, text: any, limits: none}}',
    });
    const { serving } = await readPluginConfig(directory, 'code');
    expect(serving.overrides).toEqual({
      'model.path': path.join(directory, 'variants'),
      other: '/models',
      text: 'any',
      limits: 'none',
    });
  });

  test.each([
    [
      'serving: {session: {intraOpThreads: 100000}}',
      'serving.session.intraOpThreads: expected an integer from 1 to',
    ],
    ['serving: {overrides: {a: 1}}', 'serving.overrides.a: expected a folder, "any" or "none"'],
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
