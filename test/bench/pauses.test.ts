import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { measurePauses } from '../../bench/serving/pauses.mjs';
import { temporaryFolder } from '../support/temporaryFolder.js';

const folder = temporaryFolder();

it.skipIf(process.platform !== 'linux')('tells what the machine takes by itself', async () => {
  const { cpus, seconds, thresholdUs, pauses, share, longestUs } = await measurePauses(folder, 0.2);
  expect(cpus).toBe(availableParallelism());
  expect(seconds).toBe(0.2);
  expect(share).toBeGreaterThanOrEqual(0);
  expect(share).toBeLessThanOrEqual(1);
  // Of each pause at least the threshold is in the share.
  expect(share * cpus * seconds * 1e6).toBeGreaterThanOrEqual(pauses * thresholdUs - 1);
  expect(longestUs).toBeGreaterThanOrEqual(pauses > 0 ? thresholdUs : 0);
  expect(longestUs).toBeLessThanOrEqual(seconds * 1e6);
});
