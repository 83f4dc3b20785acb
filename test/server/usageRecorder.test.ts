import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../dist/store/database.js';
import type { Store } from '../../dist/store/store.js';
import { UsageStore } from '../../dist/store/usageStore.js';
import { createLogger } from '../../dist/telemetry/logger.js';
import { type UsageCounter, UsageRecorder } from '../../dist/usage/usageRecorder.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const noon = Date.parse('2026-03-02T12:00:00Z');

function add(counter: UsageCounter, requests: number): void {
  counter.requests += requests;
  counter.rows += requests * 3;
  counter.errors += 1;
  counter.processingTimeMs += requests * 2;
  counter.cost += requests * 0.5;
}

describe('the recorder of usage', () => {
  let store: Store;
  let usage: UsageRecorder;
  beforeEach(() => {
    store = openStore(temporaryFolder(), createLogger('silent'));
    usage = new UsageRecorder(new UsageStore(store), createLogger('silent'));
  });
  afterEach(() => {
    usage.stop();
    store.close();
  });

  it('hands out one counter per user, deployment and model, for good', () => {
    const counter = usage.counterFor('ada', 'd1', 'iris');
    add(counter, 1);
    usage.flush();
    expect(counter.requests).toBe(0);
    expect(usage.counterFor('ada', 'd1', 'iris')).toBe(counter);
    expect(usage.counterFor('ada', 'd1,iris', '')).not.toBe(counter);
  });

  it('stores it each second', async () => {
    usage.start();
    const counter = usage.counterFor('ada', 'd1', 'iris');
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
