import { describe, expect, it } from 'vitest';
import {
  bestWithin,
  frontierOf,
  type Measurement,
  search,
  threadShares,
} from '../../dist/tuning/search.js';

const setting = { workers: 1, intraOpThreads: 1, maxBatchSize: 32, maxQueueDelayUs: 0 };
const at = (requestsPerSecond: number, p99Us: number, failures = 0): Measurement => ({
  setting,
  connections: 8,
  requestsPerSecond,
  p50Us: p99Us / 2,
  p99Us,
  failures,
});

describe('how cores are shared out', () => {
  it('never takes more than there are', () => {
    for (const cores of [1, 2, 3, 6, 16, 64]) {
      const shares = threadShares(cores);
      expect(shares.length).toBeGreaterThan(0);
      for (const { workers, intraOpThreads } of shares) {
        expect(workers * intraOpThreads).toBeLessThanOrEqual(cores);
        expect(Math.min(workers, intraOpThreads)).toBeGreaterThanOrEqual(1);
      }
      const texts = shares.map((share) => JSON.stringify(share));
      expect(new Set(texts).size).toBe(texts.length);
    }
  });

  it('holds one worker per core, one run on all, and one core left over', () => {
    const shares = threadShares(8);
    expect(shares).toContainEqual({ workers: 8, intraOpThreads: 1 });
    expect(shares).toContainEqual({ workers: 1, intraOpThreads: 8 });
    expect(shares).toContainEqual({ workers: 7, intraOpThreads: 1 });
  });

  it('keeps to the threads that a plugin fixes', () => {
    expect(threadShares(4, 2).map(({ intraOpThreads }) => intraOpThreads)).not.toContain(1);
    expect(threadShares(2, 4)).toEqual([{ workers: 1, intraOpThreads: 4 }]);
  });
});

describe('the frontier', () => {
  const [slow, middle, fast] = [at(100, 1000), at(300, 2000), at(500, 9000)];
  const all = [fast, at(90, 1500), slow, at(299, 2000), middle, at(900, 500, 3)];

  it('holds what no other beats in throughput and p99, without failures', () => {
    expect(frontierOf(all)).toEqual([slow, middle, fast]);
  });

  it('gives the most throughput within a limit', () => {
    expect(bestWithin(all, 5000)).toBe(middle);
    expect(bestWithin(all, 9000)).toBe(fast);
    expect(bestWithin(all, 999)).toBeUndefined();
  });
});

describe('the search', () => {
  const measuredBatchSizes = async (maxBatchSize: number) => {
    const { measurements } = await search({
      cores: 2,
      p99LimitUs: 5000,
      batching: { maxBatchSize, maxQueueDelayUs: 0 },
      budgetMs: 10_000,
      measure: async (setting, connections) => ({ ...at(1000, 1000), setting, connections }),
    });
    return new Set(measurements.map(({ setting }) => setting.maxBatchSize));
  };

  it('tries other batch sizes than the plugin’s', async () => {
    expect(await measuredBatchSizes(32)).toContain(128);
  });

  it('leaves a plugin that does not batch as it is', async () => {
    expect([...(await measuredBatchSizes(0))]).toEqual([0]);
  });
});
