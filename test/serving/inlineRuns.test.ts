import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { countingLoop } from '../support/onnxModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { addingPairs } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

// Once its requests are known to be quick, a model's are run where they arrive. How many that takes
// depends on the machine; these are far more.
const manyRequests = 300;

let client: HttpClient;

beforeAll(async () => {
  const plugins = await pluginFolder([], {
    addingPairs: { model: addingPairs() },
    countingLoop: { model: countingLoop() },
  });
  const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  client = await server.user('somebody');
});

const pairs = (seed: number, rows: number) => {
  const a = Array.from({ length: rows }, (_, row) => [seed, row]);
  const b = a.map(([first, second]) => [second! + 1, first! + 2]);
  const sum = a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
  const total = sum.map(([first, second]) => first! + second!);
  return { data: { a, b }, predictions: { sum, total } };
};

const ask = (deploymentId: string, data: unknown) =>
  client.send('POST', '/predict', { json: { deploymentId, data } });

const errorOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;

const expectRight = async (deploymentId: string, seed: number, rows = 1) => {
  const { data, predictions } = pairs(seed, rows);
  const { status, json } = await ask(deploymentId, data);
  expect({ status, json }).toMatchObject({ status: 200, json: { predictions } });
};

describe('requests to a small model, one after the other', () => {
  let deploymentId: string;

  beforeAll(async () => {
    deploymentId = await client.deploy('addingPairs');
    for (let seed = 0; seed < manyRequests; seed++) await expectRight(deploymentId, seed);
  });

  it('are answered as many at once are', async () => {
    for (let round = 0; round < 20; round++) {
      await expectRight(deploymentId, round);
      await Promise.all(
        Array.from({ length: 40 }, (_, i) => expectRight(deploymentId, i, 1 + (i % 3))),
      );
    }
  });

  it('may have a large one among them', async () => {
    for (let round = 0; round < 5; round++) {
      await expectRight(deploymentId, round);
      await expectRight(deploymentId, round, 5000);
    }
  });

  it('fail alone where they are wrong', async () => {
    const cases: [unknown, string][] = [
      [{ a: [[1, 2]] }, '422 invalid_input'],
      [{ a: [[1, 2]], b: [['x', 2]] }, '422 invalid_input'],
      [{ a: [[1, 2]], b: [[1, 2, 3]] }, '500 runtime_failed'],
    ];
    for (const [data, expected] of cases) {
      const [wrong] = await Promise.all([ask(deploymentId, data), expectRight(deploymentId, 7)]);
      expect(errorOf(wrong)).toBe(expected);
      await expectRight(deploymentId, 8);
    }
  });

  it('wait for others where the deployment says so', async () => {
    const waiting = await client.deploy('addingPairs', {
      serving: { maxQueueDelayUs: 2000, maxBatchSize: 8 },
    });
    for (let seed = 0; seed < manyRequests / 4; seed++) {
      await Promise.all(Array.from({ length: 4 }, (_, i) => expectRight(waiting, seed + i)));
    }
  });
});

it('a run that is suddenly long ends at its deadline, and others are served', async () => {
  const loop = await client.deploy('countingLoop', { serving: { timeoutMs: 400 } });
  const count = async (times: number) => ask(loop, { count: times, x: 1 });
  for (let i = 0; i < manyRequests; i++) expect((await count(1)).status).toBe(200);
  expect(errorOf(await count(1e12))).toBe('504 deadline_exceeded');
  expect((await count(3)).json).toMatchObject({ predictions: 4 });
});
