import { InferenceSession, type SessionOptions, Tensor } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError, expectRejection } from '../support/errors.js';
import { softmaxClassifier } from '../support/onnxModels.js';
import { temporaryFolder, writeIn } from '../support/temporaryFolder.js';

const folder = temporaryFolder();
const x = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4]);
const reference = InferenceSession.createSync(softmaxClassifier()).run({ x }).y!.data;

test.each<SessionOptions>([
  { graphOptimizationLevel: 'disabled' },
  { graphOptimizationLevel: 'basic' },
  { graphOptimizationLevel: 'extended' },
  { intraOpThreads: 2, interOpThreads: 2 },
  { memoryPattern: false, cpuArena: false },
  { configEntries: { 'session.set_denormal_as_zero': '1' } },
  { executionProviders: ['cpu'] },
  { executionProviders: ['CPU'] },
  { executionProviders: 'auto' },
])('%j gives the same answer', async (options) => {
  const session = await InferenceSession.create(softmaxClassifier(), options);
  expect(session.executionProviders.at(-1)).toBe('cpu');
  const { data } = session.run({ x }).y!;
  for (let i = 0; i < 3; i++) expect(data[i]).toBeCloseTo(reference[i] as number, 6);
  session.release();
});

describe('options that make no sense', () => {
  const faults: [string, unknown][] = [
    ['graphOptimizationLevel', { graphOptimizationLevel: 'most' }],
    ['intraOpThreads', { intraOpThreads: 0 }],
    ['interOpThreads', { interOpThreads: 1.5 }],
    ['memoryPattern', { memoryPattern: 'yes' }],
    ['configEntries.a', { configEntries: { a: {} } }],
    ['executionProviders', { executionProviders: 'cuda' }],
    ['executionProviders[0]', { executionProviders: [{}] }],
    [
      'configEntries.session.use_ort_model_bytes_directly',
      { configEntries: { 'session.use_ort_model_bytes_directly': '1' } },
    ],
  ];
  test.each(faults)('%s is named', async (path, options) => {
    expectError(() => InferenceSession.createSync(softmaxClassifier(), options as never), {
      code: 'invalid_input',
      path,
    });
    await expectRejection(InferenceSession.create(softmaxClassifier(), options as never), {
      code: 'invalid_input',
      path,
    });
  });
});

describe('a model that can’t be had', () => {
  test('because there is no such file', async () => {
    const expected = { code: 'model_load_failed', message: /nowhere\.onnx/ };
    expectError(() => InferenceSession.createSync('/nowhere.onnx'), expected);
    await expectRejection(InferenceSession.create('/nowhere.onnx'), expected);
    await expectRejection(
      InferenceSession.create('/nowhere.onnx', { optimizedModelCache: folder }),
      expected,
    );
  });

  test('because the path is a folder’s', () => {
    expectError(() => InferenceSession.createSync(folder), { code: 'model_load_failed' });
  });

  test('because it is no model', async () => {
    const file = writeIn(folder, 'broken.onnx', 'this is no model');
    const expected = { code: 'model_load_failed', message: /broken\.onnx/ };
    expectError(() => InferenceSession.createSync(file), expected);
    await expectRejection(InferenceSession.create(file), expected);
    const half = softmaxClassifier().slice(0, 60);
    expectError(() => InferenceSession.createSync(half), { code: 'model_load_failed' });
    expectError(() => InferenceSession.createSync(new Uint8Array(0)), {
      code: 'model_load_failed',
    });
  });

  test('because it is neither path nor bytes', async () => {
    expectError(() => InferenceSession.createSync(17 as never), {
      code: 'invalid_input',
      path: 'model',
    });
    await expectRejection(InferenceSession.create(undefined as never), { code: 'invalid_input' });
  });
});
