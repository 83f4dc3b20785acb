import { beforeAll, describe, expect, it } from 'vitest';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ workers: 1 });
});

/** The beginning of a PNG that is 30,000 pixels wide and high, and its end. */
const bomb = Buffer.from(
  '89504e470d0a1a0a' +
    '0000000d4948445200007530000075300802000000e9456fed' +
    '0000000049454e44ae426082',
  'hex',
).toString('base64');

const beyond: [model: string, data: unknown, options: Record<string, unknown>, path: string][] = [
  ['textGeneration', 'The people', { maxLength: 1e9 }, 'options.maxLength'],
  ['textGeneration', 'The people', { stop: new Array(17).fill('.') }, 'options.stop'],
  ['textGeneration', new Array(65).fill('The people'), {}, 'data'],
  ['textGeneration', ['a', 'a'.repeat(100_001)], {}, 'data[1]'],
  ['sentimentAnalysis', new Array(1025).fill('good'), {}, 'data'],
  ['sentimentAnalysis', 'good '.repeat(10_001), {}, 'data'],
  ['timeSeriesForecast', [1, 2, 3], { horizon: 501 }, 'options.horizon'],
  ['timeSeriesForecast', new Array(1001).fill([1, 2, 3]), {}, 'data'],
  ['textRecognition', new Array(17).fill(bomb), {}, 'data'],
  ['textRecognition', bomb, {}, 'data'],
];

describe('a request for more than a bundled plugin gives', () => {
  it.each(beyond)('is refused by %s: %#', { timeout: 120_000 }, async (...asked) => {
    const [modelName, data, options, path] = asked;
    const { status, json } = await server.admin.predict(await deployed(modelName), data, options);
    expect(json).toMatchObject({ code: 'invalid_input', path });
    expect(status).toBe(422);
  });

  it.each([
    ['textGeneration', { limits: { maxLength: 1e9 } }, 'limits'],
    ['sentimentAnalysis', { limits: { maxTexts: 1e9 } }, 'limits'],
    ['sentimentAnalysis', { model: { batchSize: 1e9 } }, 'model.batchSize'],
    ['timeSeriesForecast', { maxHorizon: 10_000 }, 'maxHorizon'],
    ['voiceActivity', { maxSeconds: 1e9 }, 'maxSeconds'],
    ['textRecognition', { image: { maxPixels: 1e12 } }, 'image'],
    ['textRecognition', { detection: { maxSideLength: 1e6 } }, 'detection.maxSideLength'],
  ])('is not allowed by a deployment of %s: %j', async (modelName, config, path) => {
    const { status, json } = await server.admin.send('POST', '/deployments', {
      json: { modelName, config },
    });
    expect(json).toMatchObject({
      path: `config.${path}`,
      detail: `config.${path}: this can only be set in the plugin’s config.yaml.`,
    });
    expect(status).toBe(422);
  });
});

const deployments = new Map<string, Promise<string>>();

function deployed(modelName: string): Promise<string> {
  const known = deployments.get(modelName) ?? server.admin.deploy(modelName);
  deployments.set(modelName, known);
  return known;
}
