import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { identity } from '../support/onnxModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let secret: string;

beforeAll(async () => {
  secret = await temporaryFolder({
    'model.onnx': 'a secret',
    'config.json': 'root:x:0:0',
    'tokenizer.json': 'root:x:0:0',
  });
  const opening = await pluginFolder(['sentimentAnalysis', 'textGeneration', 'session']);
  server = await ServerProcess.start({ plugins: [opening], workers: 1 });
});

async function refusal(modelName: string, config: unknown) {
  const { status, json, text } = await server.admin.send('POST', '/deployments', {
    json: { modelName, config },
  });
  expect(text).not.toMatch(/root:|secret/);
  return { status, ...(json as { code: string; path: string; detail: string }) };
}

describe('a deployment', () => {
  it.each(['sentimentAnalysis', 'textGeneration'])('of %s can’t choose a folder', async (name) => {
    for (const given of [secret, '/none', path.relative(server.data, secret), '.']) {
      const answer = await refusal(name, { model: { path: given } });
      expect(answer).toMatchObject({
        status: 422,
        code: 'invalid_input',
        path: 'config.model.path',
        detail: expect.stringContaining('serving.overrides'),
      });
    }
  });

  it('can’t set threads, files or memory of sessions', async () => {
    const settings = {
      'session.intraOpThreads': { session: { intraOpThreads: 400 } },
      'session.interOpThreads': { session: { interOpThreads: 400 } },
      'session.cpuArena': { session: { cpuArena: false } },
      'session.optimizedModelCache': { session: { optimizedModelCache: '/etc' } },
      model: { model: 'other.onnx' },
    };
    for (const [at, serving] of Object.entries(settings)) {
      expect(await refusal('sentimentAnalysis', { serving })).toMatchObject({
        status: 422,
        path: `config.serving.${at}`,
        detail: `config.serving.${at}: this can only be set in the plugin’s config.yaml.`,
      });
    }
  });

  it('may not have queues and batches of any size', async () => {
    const answer = await refusal('sentimentAnalysis', { serving: { maxQueueSize: 2 ** 30 } });
    expect(answer).toMatchObject({ status: 422, path: 'config.serving.maxQueueSize' });
  });

  it('may give a path in a setting that config.yaml opens', async () => {
    const file = path.join(
      await temporaryFolder({ 'identity.onnx': identity('float32', ['n', 2]) }),
      'identity.onnx',
    );
    const deploymentId = await server.admin.deploy('session', { model: file });
    expect((await server.admin.predicted(deploymentId, [[1, 2]])).predictions).toEqual([[1, 2]]);
  });
});
