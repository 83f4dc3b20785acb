import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { batchObserver } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

const mostRows = 16;
const atOnce = 4 * mostRows;
const requests = 6 * atOnce;

let client: HttpClient;

beforeAll(async () => {
  const plugins = await pluginFolder([], {
    // Ten milliseconds or so for each batch.
    sharedWork: { model: batchObserver('batch', 1024) },
    // Some milliseconds for each pair of rows: each row takes the longer, the more there are.
    pairwiseWork: { model: batchObserver('pairs', 768) },
  });
  const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  client = await server.user('somebody');
});

/** Keeps so many requests waiting that every batch could be full. @returns the batches' sizes, ascending */
async function sizesUnderLoad(modelName: string): Promise<number[]> {
  // A model that tells what batch it was in must not be joined by itself.
  const serving = { maxBatchSize: mostRows, batchAxis: 'rows' };
  const deploymentId = await client.deploy(modelName, { serving });
  const sizes: number[] = [];
  let next = 0;
  const askOn = async () => {
    while (next < requests) {
      const x = next++;
      const { status, json } = await client.send('POST', '/predict', {
        json: { deploymentId, data: [x] },
      });
      expect(status).toBe(200);
      const { y, rows } = (json as { predictions: { y: number[]; rows: number[] } }).predictions;
      expect(y).toEqual([x]);
      sizes.push(rows[0]!);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, askOn));
  // At the end fewer are waiting.
  return sizes.slice(0, requests - atOnce).sort((a, b) => a - b);
}

const median = (sorted: number[]) => sorted[sorted.length >> 1]!;

describe('under load, the batches of a model', () => {
  it('are full where that saves work', async () => {
    const sizes = await sizesUnderLoad('sharedWork');
    expect(median(sizes), sizes.join(' ')).toBe(mostRows);
  });

  it('are small where it saves none', async () => {
    const sizes = await sizesUnderLoad('pairwiseWork');
    expect(median(sizes), sizes.join(' ')).toBeLessThanOrEqual(2);
  });
});
