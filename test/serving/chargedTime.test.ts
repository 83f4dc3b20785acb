import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { randomWeights } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

const batchSize = 8;
const width = 1024;
let server: ServerProcess;

beforeAll(async () => {
  const plugins = await pluginFolder(['together'], {
    weights: { model: randomWeights(width) },
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
});

async function chargedMs(): Promise<number> {
  const { json } = await server.admin.send('GET', '/usage');
  return (json as { totalProcessingTimeMs: number }).totalProcessingTimeMs;
}

/** @returns the time of a batch of several requests, and what they were charged together */
async function timesOfBatch(modelName: string, data: unknown) {
  const serving = { maxBatchSize: batchSize, maxQueueDelayUs: 1_000_000 };
  const deploymentId = await server.admin.deploy(modelName, { serving });
  for (;;) {
    const before = await chargedMs();
    const answers = await Promise.all(
      Array.from({ length: batchSize }, () => server.admin.predicted(deploymentId, data)),
    );
    const charged = (await chargedMs()) - before;
    const [first, ...others] = answers.map(({ processingTimeMs }) => processingTimeMs);
    // Requests of one batch have the same time.
    if (others.every((time) => time === first)) return { batchMs: first!, charged };
  }
}

describe('usage', () => {
  it('charges the requests of a batch its time once, not each of them', async () => {
    const { batchMs, charged } = await timesOfBatch('weights', [Array(width).fill(1)]);
    expect(charged).toBeCloseTo(batchMs, 1);
  });

  it('likewise where a plugin took them together', async () => {
    const { batchMs, charged } = await timesOfBatch('together', 1);
    expect(charged).toBeGreaterThan(batchMs * 0.9);
    expect(charged).toBeLessThan(batchMs * 2);
  });
});
