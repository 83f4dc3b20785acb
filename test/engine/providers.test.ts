import { InferenceSession, runtimeInfo, Tensor } from 'cloudeasyml';
import { describe, expect, test } from 'vitest';
import { expectError, expectRejection } from '../support/errors.js';
import { softmaxClassifier } from '../support/onnxModels.js';

const model = softmaxClassifier();

describe('a provider that this machine does not have', () => {
  test('is refused with what the library has', async () => {
    const expected = {
      code: 'provider_unavailable',
      path: 'executionProviders',
      message: /no execution provider "teapot"\. It has: .*cpu/,
    };
    expectError(
      () => InferenceSession.createSync(model, { executionProviders: ['teapot', 'cpu'] }),
      expected,
    );
    await expectRejection(
      InferenceSession.create(model, { executionProviders: [{ name: 'teapot' }] }),
      expected,
    );
  });

  test.runIf(runtimeInfo().executionProviders.includes('cuda')).each(['cuda', 'tensorrt'])(
    'such as %s, is explained, or else works',
    (provider) => {
      let session: InferenceSession;
      try {
        session = InferenceSession.createSync(model, { executionProviders: [provider] });
      } catch (error) {
        expect(error).toMatchObject({ code: 'provider_unavailable', path: 'executionProviders' });
        expect((error as Error).message).toMatch(
          new RegExp(`"${provider}" cannot be used.*(missing|nvidia-smi)`),
        );
        return;
      }
      expect(session.executionProviders).toEqual([provider, 'cpu']);
    },
  );
});

test('auto takes what works and says what that is', () => {
  const session = InferenceSession.createSync(model, { executionProviders: 'auto' });
  expect(['tensorrt', 'cuda', 'cpu']).toContain(session.executionProviders[0]);
  expect(session.executionProviders.at(-1)).toBe('cpu');
  const x = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [1, 4]);
  expect(session.run({ x }).y!.dims).toEqual([1, 3]);
});

test('auto reports a model that nothing can load', () => {
  expectError(
    () => InferenceSession.createSync(model.slice(0, 50), { executionProviders: 'auto' }),
    { code: 'model_load_failed' },
  );
});
