import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../dist/store/database.js';
import type { Store } from '../../dist/store/store.js';
import { UsageStore } from '../../dist/store/usageStore.js';
import { createLogger } from '../../dist/telemetry/logger.js';
import { type UsageCounter, UsageRecorder } from '../../dist/usage/usageRecorder.js';
import { ControlPlane, temporaryFolder } from './support/controlPlane.js';

const dayMs = 86_400_000;
const noon = Date.parse('2026-03-02T12:00:00Z');

function add(counter: UsageCounter, requests: number): void {
  counter.requests += requests;
  counter.rows += requests * 3;
  counter.errors += 1;
  counter.processingTimeMs += requests * 2;
  counter.cost += requests * 0.5;
}

let plane: ControlPlane;
let now = noon;
beforeEach(async () => {
  now = noon;
  plane = await ControlPlane.start({ now: () => now });
});
afterEach(() => plane.stop());

async function usageOf(key: string, query = '') {
  const { status, json } = await plane.call('GET', `/usage${query}`, { key });
  expect(status).toBe(200);
  return json;
}

describe('usage', () => {
  it('is summed by model, up to the moment, and survives a restart', async () => {
    const key = await plane.makeKey({ userId: 'ada' });
    add(plane.usage.counterFor('ada', 'd1', 'iris'), 2);
    add(plane.usage.counterFor('ada', 'd2', 'iris'), 3);
    add(plane.usage.counterFor('ada', 'd3', 'house'), 4);
    add(plane.usage.counterFor('bob', 'd4', 'iris'), 100);
    const report = {
      userId: 'ada',
      totalCost: 4.5,
      totalRequests: 9,
      totalProcessingTimeMs: 18,
      byModel: {
        house: { requests: 4, rows: 12, errors: 1, processingTimeMs: 8, cost: 2 },
        iris: { requests: 5, rows: 15, errors: 2, processingTimeMs: 10, cost: 2.5 },
      },
      period: { startDate: '2026-02-01', endDate: '2026-03-02' },
    };
    expect(await usageOf(key)).toEqual(report);
    expect(await usageOf(key)).toEqual(report);

    add(plane.usage.counterFor('ada', 'd1', 'iris'), 1);
    plane.stop();
    plane = await ControlPlane.start({ data: plane.data, now: () => now });
    add(plane.usage.counterFor('ada', 'd1', 'iris'), 1);
    const later = await usageOf(key);
    expect(later.totalRequests).toBe(11);
    expect(later.byModel.iris).toMatchObject({ requests: 7, rows: 21, errors: 4, cost: 3.5 });
  });

  it('has no more decimals than its parts', async () => {
    const key = await plane.makeKey({ userId: 'ada' });
    for (const id of ['d1', 'd2', 'd3']) {
      const counter = plane.usage.counterFor('ada', id, 'iris');
      counter.requests = 1;
      counter.processingTimeMs = 0.1;
      counter.cost = 0.2;
    }
    expect(await usageOf(key)).toMatchObject({
      totalCost: 0.6,
      totalProcessingTimeMs: 0.3,
      byModel: { iris: { cost: 0.6, processingTimeMs: 0.3 } },
    });
  });

  it('is kept by day, and asked for by first and last day', async () => {
    const key = await plane.makeKey({ userId: 'ada' });
    for (const day of [0, 1, 2]) {
      now = noon + day * dayMs;
      plane.usage.flush();
      add(plane.usage.counterFor('ada', 'd1', 'iris'), 10 ** day);
      plane.usage.flush();
    }
    const requests = async (query: string) => (await usageOf(key, query)).totalRequests;
    expect(await requests('')).toBe(111);
    expect(await requests('?startDate=2026-03-03')).toBe(110);
    expect(await requests('?endDate=2026-03-03')).toBe(11);
    expect(await requests('?startDate=2026-03-03&endDate=2026-03-03')).toBe(10);
    expect(await requests('?startDate=2025-01-01&endDate=2025-12-31')).toBe(0);
  });

  it('refuses days that are none, or in the wrong order', async () => {
    const key = await plane.makeKey();
    for (const [query, path] of [
      ['?startDate=yesterday', 'startDate'],
      ['?startDate=2026-02-30', 'startDate'],
      ['?endDate=2026-3-1', 'endDate'],
      ['?startDate=2026-03-02&endDate=2026-03-01', 'endDate'],
      ['?startDate=2026-03-03', 'startDate'],
      ['?userid=bob', 'userid'],
    ]) {
      const { json } = await plane.call('GET', `/usage${query}`, { key });
      expect(json).toMatchObject({ code: 'invalid_input', status: 422, path });
    }
  });

  it('is another user’s for an admin alone', async () => {
    const key = await plane.makeKey({ userId: 'ada' });
    add(plane.usage.counterFor('ada', 'd1', 'iris'), 2);
    expect(await usageOf(key, '?userId=ada')).toMatchObject({ userId: 'ada', totalRequests: 2 });
    const own = await usageOf(plane.adminKey);
    expect(own).toMatchObject({ userId: 'admin', totalRequests: 0 });
    const seen = await usageOf(plane.adminKey, '?userId=ada');
    expect(seen).toMatchObject({ userId: 'ada', totalRequests: 2 });
    const refused = await plane.call('GET', '/usage?userId=bob', { key });
    expect(refused.json).toMatchObject({ code: 'forbidden', status: 403, path: 'userId' });
  });

  it('hands out one counter per user, deployment and model, for good', () => {
    const counter = plane.usage.counterFor('ada', 'd1', 'iris');
    add(counter, 1);
    plane.usage.flush();
    expect(counter.requests).toBe(0);
    expect(plane.usage.counterFor('ada', 'd1', 'iris')).toBe(counter);
    expect(plane.usage.counterFor('ada', 'd1,iris', '')).not.toBe(counter);
  });

  it('is flushed each second', async () => {
    plane.usage.start();
    const counter = plane.usage.counterFor('ada', 'd1', 'iris');
    add(counter, 5);
    await expect.poll(() => counter.requests, { timeout: 10_000 }).toBe(0);
  });
});

describe('usage around midnight', () => {
  const midnight = Date.parse('2026-03-03T00:00:00Z');
  let store: Store;
  let usage: UsageRecorder;
  beforeEach(() => {
    vi.useFakeTimers({ now: midnight - 300 });
    store = openStore(temporaryFolder(), createLogger('silent'));
    usage = new UsageRecorder(new UsageStore(store), createLogger('silent'));
    usage.start();
  });
  afterEach(() => {
    usage.stop();
    store.close();
    vi.useRealTimers();
  });

  const requests = (day: string) => usage.query('ada', day, day).totalRequests;

  it('is booked on the day when the requests ended', () => {
    const counter = usage.counterFor('ada', 'd1', 'iris');
    add(counter, 5);
    vi.advanceTimersByTime(300);
    add(counter, 7);
    vi.advanceTimersByTime(2000);
    expect(requests('2026-03-02')).toBe(5);
    expect(requests('2026-03-03')).toBe(7);
  });

  it('stays on its day where it can be stored only on the next', () => {
    const counter = usage.counterFor('ada', 'd1', 'iris');
    add(counter, 5);
    store.database.exec('ALTER TABLE usage RENAME TO hidden');
    vi.advanceTimersByTime(10_000);
    add(counter, 7);
    vi.advanceTimersByTime(10_000);
    store.database.exec('ALTER TABLE hidden RENAME TO usage');
    vi.advanceTimersByTime(1000);
    expect(requests('2026-03-02')).toBe(5);
    expect(requests('2026-03-03')).toBe(7);
  });
});

describe('usage that cannot be stored', () => {
  it('is kept until it can', () => {
    const folder = temporaryFolder();
    const writer = openStore(folder, createLogger('silent'));
    const usage = new UsageRecorder(new UsageStore(writer), createLogger('silent'), () => noon);
    const counter = usage.counterFor('ada', 'd1', 'iris');
    add(counter, 5);
    writer.database.exec('ALTER TABLE usage RENAME TO hidden');
    expect(() => usage.flush()).toThrow();
    expect(counter.requests).toBe(5);
    writer.database.exec('ALTER TABLE hidden RENAME TO usage');
    expect(usage.query('ada').totalRequests).toBe(5);
    expect(usage.query('ada').totalRequests).toBe(5);
    writer.close();
  });
});
