import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient, PredictionAnswer } from '../support/httpClient.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let ada: HttpClient;
let bob: HttpClient;

beforeAll(async () => {
  server = await ServerProcess.start({ workers: 1 });
  ada = await server.user('ada');
  bob = await server.user('bob');
});

/** The same prediction by both routes: the body names the deployment, or the path does. */
async function predictBothWays(deploymentId: string, data: unknown, options?: object) {
  const byBody = await ada.send('POST', '/predict', { json: { deploymentId, data, options } });
  const byPath = await ada.send('POST', `/predict/${deploymentId}`, { json: { data, options } });
  for (const { status, headers, text } of [byBody, byPath]) {
    expect(status, text).toBe(200);
    expect(headers['content-type']).toBe('application/json');
  }
  const answers = [byBody, byPath].map(({ json }) => json as PredictionAnswer);
  for (const answer of answers) {
    expect(Object.keys(answer)).toEqual(['predictions', 'metadata', 'processingTimeMs']);
    expect(answer.processingTimeMs).toBeGreaterThanOrEqual(0);
  }
  expect(answers[1]!.predictions).toEqual(answers[0]!.predictions);
  return answers[0]!;
}

interface ModelUsage {
  requests: number;
  rows: number;
  errors: number;
  cost: number;
  processingTimeMs: number;
}

async function usage(client: HttpClient) {
  const { json } = await client.send('GET', '/usage');
  return json as {
    userId: string;
    totalCost: number;
    totalRequests: number;
    totalProcessingTimeMs: number;
    byModel: Record<string, ModelUsage>;
  };
}

describe('with a key of one’s own', () => {
  it('the models can be listed', async () => {
    const { json } = await ada.send('GET', '/models');
    const { models } = json as { models: { name: string }[] };
    expect(models.map(({ name }) => name).sort()).toEqual([
      'housingCrisis',
      'irisClassification',
      'sentimentAnalysis',
      'textGeneration',
      'textRecognition',
      'timeSeriesForecast',
      'voiceActivity',
    ]);
  });

  it('irisClassification tells flowers apart', async () => {
    const id = await ada.deploy('irisClassification');
    const { predictions } = await predictBothWays(id, [
      [5.1, 3.5, 1.4, 0.2],
      [5.9, 3.0, 4.2, 1.5],
      [6.7, 3.0, 5.2, 2.3],
    ]);
    expect(predictions).toMatchObject({ label: ['setosa', 'versicolor', 'virginica'] });
    const only = await predictBothWays(id, [[5.1, 3.5, 1.4, 0.2]], { outputs: ['label'] });
    expect(only.predictions).toEqual({ label: ['setosa'] });
  });

  it('sentimentAnalysis judges texts', async () => {
    const id = await ada.deploy('sentimentAnalysis');
    const { predictions } = await predictBothWays(id, ['This movie was amazing!', 'I hated it']);
    expect(predictions).toMatchObject([{ label: 'POSITIVE' }, { label: 'NEGATIVE' }]);
  });

  it('housingCrisis prices homes and judges the market', async () => {
    const id = await ada.deploy('housingCrisis');
    const cheap = [
      [38.3518, 0, 18.1, 0, 0.7, 5.453, 100, 1.4896, 24, 666, 20.2, 396.9, 30.59],
      [25.0461, 0, 18.1, 0, 0.7, 5.987, 100, 1.5888, 24, 666, 20.2, 396.9, 26.77],
    ];
    const { predictions, metadata } = await predictBothWays(id, cheap, { crisisDetection: true });
    expect(predictions).toHaveLength(2);
    for (const price of predictions as number[]) expect(price).toBeLessThan(15);
    expect(metadata).toMatchObject({ crisisLevel: 'HIGH', recommendations: expect.any(Array) });
    expect((await predictBothWays(id, cheap)).metadata).not.toHaveProperty('crisisLevel');
  });

  it('timeSeriesForecast carries a series on', async () => {
    const id = await ada.deploy('timeSeriesForecast');
    const wave = (month: number) => 50 + month + 20 * Math.sin((2 * Math.PI * month) / 12);
    const history = Array.from({ length: 80 }, (_, month) => wave(month));
    const { predictions } = await predictBothWays(id, history, { horizon: 3 });
    const errors = (predictions as number[]).map((value, step) => value - wave(80 + step));
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1);
  });

  it('textRecognition reads a receipt', async () => {
    const id = await ada.deploy('textRecognition');
    const url = new URL('../../plugins/textRecognition/example.png', import.meta.url);
    const image = await readFile(url, 'base64');
    const { predictions } = await predictBothWays(id, image);
    const { lines } = predictions as { lines: { text: string }[] };
    const texts = lines.map(({ text }) => text);
    for (const text of ['Corner Bakery', 'Rye bread', '4.80', '10.15']) {
      expect(texts).toContain(text);
    }
  });

  it('every request is counted, with its rows and its cost', async () => {
    const id = await bob.deploy('irisClassification');
    for (let rows = 1; rows <= 5; rows++) {
      const data = Array.from({ length: rows }, () => [5.1, 3.5, 1.4, 0.2]);
      expect((await bob.predict(id, data)).status).toBe(200);
    }
    expect((await bob.predict(id, [[1]])).status).toBe(422);
    const { userId, byModel, ...totals } = await usage(bob);
    expect(userId).toBe('bob');
    expect(Object.keys(byModel)).toEqual(['irisClassification']);
    const counted = byModel.irisClassification!;
    expect(counted).toMatchObject({ requests: 6, rows: 15, errors: 1 });
    // What fails costs nothing.
    expect(counted.cost).toBeCloseTo(5 * 0.0001, 10);
    expect(totals.totalRequests).toBe(6);
    expect(totals.totalCost).toBeCloseTo(counted.cost, 10);
    expect(totals.totalProcessingTimeMs).toBeCloseTo(counted.processingTimeMs, 6);
    const hers = await usage(ada);
    expect(hers.byModel.irisClassification).toMatchObject({ requests: 4, rows: 8, errors: 0 });
    expect(Object.keys(hers.byModel).sort()).toContain('textRecognition');
  });

  it('another’s deployment is not there', async () => {
    const id = await ada.deploy('irisClassification');
    const data = [[5.1, 3.5, 1.4, 0.2]];
    const attempts = [
      await bob.predict(id, data),
      await bob.send('POST', `/predict/${id}`, { json: { data } }),
      await bob.send('GET', `/deployments/${id}`),
      await bob.send('DELETE', `/deployments/${id}`),
    ];
    for (const { status, json } of attempts) {
      expect(status).toBe(404);
      expect(json).toMatchObject({ code: 'deployment_not_found' });
    }
    const { json } = await bob.send('GET', '/deployments');
    const { deployments } = json as { deployments: { deploymentId: string }[] };
    expect(deployments.map(({ deploymentId }) => deploymentId)).not.toContain(id);
    // The admin may.
    expect((await server.admin.predict(id, data)).status).toBe(200);
    expect((await ada.send('DELETE', `/deployments/${id}`)).status).toBe(200);
    expect((await ada.predict(id, data)).status).toBe(404);
  });
});
