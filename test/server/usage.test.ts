import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { countingUp } from '../support/servedModels.js';
import { LocalServer } from './support/localServer.js';

const doublers = fileURLToPath(new URL('plugins', import.meta.url));
const dayMs = 86_400_000;
const noon = Date.parse('2026-03-02T12:00:00Z');

let plugins: string[];
let server: LocalServer;
let now = noon;
beforeAll(async () => {
  const counting = { model: countingUp(), config: 'metadata: {estimatedCostPerRequest: 0.125}' };
  plugins = [doublers, await pluginFolder([], { counting })];
});
beforeEach(async () => {
  now = noon;
  server = await LocalServer.start({ plugins, now: () => now });
});
afterEach(() => server.stop());

async function usageOf(key: string, query = '') {
  const { status, json } = await server.call('GET', `/usage${query}`, { key });
  expect(status).toBe(200);
  return json;
}

async function predict(key: string, deploymentId: string, data: unknown, times = 1) {
  for (let time = 0; time < times; time++) {
    expect((await server.predict(key, deploymentId, data)).status).toBe(200);
  }
}

describe('usage', () => {
  it('is summed by model, up to the moment, and survives a restart', async () => {
    const [ada, bob] = [await server.makeKey(), await server.makeKey({ userId: 'bob' })];
    const one = await server.deploy(ada, 'doubler', { processingTimeMs: 2 });
    const other = await server.deploy(ada, 'doubler', { processingTimeMs: 1 });
    const counting = await server.deploy(ada, 'counting');
    await predict(ada, one, [1, 2, 3], 2);
    await predict(ada, other, [1, 2, 3], 3);
    expect((await server.predict(ada, other, 'no list')).status).toBe(422);
    await predict(ada, counting, [[1, 2]], 4);
    await predict(bob, await server.deploy(bob), [1], 5);
    const report = {
      userId: 'ada',
      totalCost: 3,
      totalRequests: 10,
      totalProcessingTimeMs: expect.any(Number),
      byModel: {
        counting: {
          requests: 4,
          rows: 4,
          errors: 0,
          processingTimeMs: expect.any(Number),
          cost: 0.5,
        },
        doubler: {
          requests: 6,
          rows: 16,
          errors: 1,
          processingTimeMs: expect.any(Number),
          cost: 2.5,
        },
      },
      period: { startDate: '2026-02-01', endDate: '2026-03-02' },
    };
    const first = await usageOf(ada);
    expect(first).toEqual(report);
    const { counting: counted, doubler } = first.byModel;
    for (const { processingTimeMs } of [counted, doubler]) {
      expect(processingTimeMs).toBeGreaterThan(0);
    }
    const sum = counted.processingTimeMs + doubler.processingTimeMs;
    expect(first.totalProcessingTimeMs).toBeCloseTo(sum, 6);
    expect(await usageOf(ada)).toEqual(first);

    await predict(ada, one, [1, 2, 3]);
    await server.stop();
    server = await LocalServer.start({ plugins, data: server.data, now: () => now });
    await predict(ada, one, [1, 2, 3]);
    const later = await usageOf(ada);
    expect(later.totalRequests).toBe(12);
    expect(later.byModel.doubler).toMatchObject({ requests: 8, rows: 22, errors: 1, cost: 3.5 });
  });

  it('charges the time that was taken, whatever the plugin says that it was', async () => {
    const key = await server.makeKey();
    await predict(key, await server.deploy(key, 'doubler', { processingTimeMs: 1e9 }), [1]);
    const { totalProcessingTimeMs } = await usageOf(key);
    expect(totalProcessingTimeMs).toBeGreaterThan(0);
    expect(totalProcessingTimeMs).toBeLessThan(1e9);
  });

  it('is kept by day, and asked for by first and last day', async () => {
    const key = await server.makeKey();
    const deploymentId = await server.deploy(key);
    const requests = async (query: string) => (await usageOf(key, query)).totalRequests;
    for (const [day, times] of [1, 10, 100].entries()) {
      now = noon + day * dayMs;
      // The server sees each second which day it is, and when it is asked.
      await requests('');
      await predict(key, deploymentId, [1], times);
    }
    expect(await requests('')).toBe(111);
    expect(await requests('?startDate=2026-03-03')).toBe(110);
    expect(await requests('?endDate=2026-03-03')).toBe(11);
    expect(await requests('?startDate=2026-03-03&endDate=2026-03-03')).toBe(10);
    expect(await requests('?startDate=2025-01-01&endDate=2025-12-31')).toBe(0);
  });

  it('refuses days that are none, or in the wrong order', async () => {
    const key = await server.makeKey();
    for (const [query, path] of [
      ['?startDate=yesterday', 'startDate'],
      ['?startDate=2026-02-30', 'startDate'],
      ['?endDate=2026-3-1', 'endDate'],
      ['?startDate=2026-03-02&endDate=2026-03-01', 'endDate'],
      ['?startDate=2026-03-03', 'startDate'],
      ['?userid=bob', 'userid'],
    ]) {
      const { json } = await server.call('GET', `/usage${query}`, { key });
      expect(json).toMatchObject({ code: 'invalid_input', status: 422, path });
    }
  });

  it('is another user’s for an admin alone', async () => {
    const key = await server.makeKey();
    await predict(key, await server.deploy(key), [1], 2);
    expect(await usageOf(key, '?userId=ada')).toMatchObject({ userId: 'ada', totalRequests: 2 });
    const own = await usageOf(server.adminKey);
    expect(own).toMatchObject({ userId: 'admin', totalRequests: 0 });
    const seen = await usageOf(server.adminKey, '?userId=ada');
    expect(seen).toMatchObject({ userId: 'ada', totalRequests: 2 });
    const refused = await server.call('GET', '/usage?userId=bob', { key });
    expect(refused.json).toMatchObject({ code: 'forbidden', status: 403, path: 'userId' });
  });

  it('is the caller’s where an admin asks another user’s deployment', async () => {
    const key = await server.makeKey();
    await predict(server.adminKey, await server.deploy(key), [1], 3);
    expect(await usageOf(key)).toMatchObject({ totalRequests: 0, byModel: {} });
    expect(await usageOf(server.adminKey)).toMatchObject({ totalRequests: 3, totalCost: 1.5 });
  });
});
