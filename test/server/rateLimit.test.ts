import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TokenBucket } from '../../dist/auth/tokenBucket.js';
import { LocalServer } from './support/localServer.js';

describe('a token bucket', () => {
  it('lets a minute’s burst pass and refills evenly', () => {
    const bucket = new TokenBucket(60);
    for (let request = 0; request < 60; request++) expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0)).toBe(1);
    expect(bucket.take(999)).toBe(1);
    expect(bucket.take(1000)).toBe(0);
    expect(bucket.take(1000)).toBe(1);
    let passed = 0;
    for (let ms = 2000; ms <= 61_000; ms += 100) if (bucket.take(ms) === 0) passed++;
    expect(passed).toBe(60);
  });

  it('tells the seconds to wait, and that waiting is enough', () => {
    const bucket = new TokenBucket(1);
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0)).toBe(60);
    expect(bucket.take(30_500)).toBe(30);
    expect(bucket.take(60_500)).toBe(0);
  });

  it('never holds more than a minute’s requests, and stands a clock that goes back', () => {
    const bucket = new TokenBucket(2);
    expect([1, 2, 3].map(() => bucket.take(9_000_000) === 0)).toEqual([true, true, false]);
    expect(bucket.take(1_000)).toBeGreaterThan(0);
    expect(bucket.take(61_000)).toBe(0);
  });

  it('counts exactly where the interval is no whole number', () => {
    const bucket = new TokenBucket(7);
    for (let minute = 1; minute <= 1000; minute++) {
      const waits = Array.from({ length: 8 }, () => bucket.take(minute * 60_000));
      expect(waits).toEqual([0, 0, 0, 0, 0, 0, 0, 9]);
    }
  });

  it('without a limit always lets pass', () => {
    const bucket = new TokenBucket(Infinity);
    for (let request = 0; request < 10_000; request++) expect(bucket.take(0)).toBe(0);
  });
});

describe('a key’s rate limit', () => {
  let server: LocalServer;
  beforeEach(async () => {
    server = await LocalServer.start();
  });
  afterEach(() => server.stop());

  it('answers 429 with Retry-After, for that key alone', async () => {
    const limited = await server.makeKey({ rateLimit: 2 });
    const free = await server.makeKey();
    const call = (key: string) => server.call('GET', '/models', { key });
    expect([(await call(limited)).status, (await call(limited)).status]).toEqual([200, 200]);
    const refused = await call(limited);
    expect(refused.json).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(refused.headers.get('retry-after')).toBe('30');
    expect((await call(free)).status).toBe(200);
  });

  it('is one limit, however the header is written', async () => {
    const key = await server.makeKey({ rateLimit: 2 });
    const statuses: number[] = [];
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${key}` };
      statuses.push((await server.call('GET', '/models', { headers })).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
  });
});
