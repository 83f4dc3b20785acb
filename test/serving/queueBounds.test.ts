import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let client: HttpClient;
let gate: Gate;

beforeAll(async () => {
  const plugins = await pluginFolder(['echo', 'gated', 'wayward']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
});

beforeEach(async () => {
  client = await server.user(crypto.randomUUID());
  gate = await Gate.start();
});

/** A deployment that runs one request at a time, and that only when the gate is open. */
const deployGated = (serving: Record<string, number> = {}) =>
  client.deploy('gated', { gate: gate.url, serving: { maxBatchSize: 1, ...serving } });

const codeOf = ({ status, json }: Answer) =>
  status === 200 ? '200' : `${status} ${(json as { code?: string }).code}`;

/**
 * Sends `count` requests to a queue that has `places` left, and resolves when they are taken: then the
 * others have been refused.
 */
async function fill(deploymentId: string, places: number, count: number, signal?: AbortSignal) {
  let refused = 0;
  const answers = Array.from({ length: count }, async (_, i) => {
    const answer = await client.predict(deploymentId, `request ${i}`, {}, signal);
    if (codeOf(answer) === '503 overloaded') refused++;
    return answer;
  });
  for (const answer of answers) answer.catch(() => {});
  await expect.poll(() => refused).toBe(count - places);
  return answers;
}

interface Usage {
  byModel: Record<string, { requests: number; errors: number; rows: number }>;
}

const usage = async () => (await client.send('GET', '/usage')).json as Usage;

describe('a deadline', () => {
  it('ends requests that run and requests that wait', async () => {
    const gated = await deployGated({ timeoutMs: 300 });
    const running = client.predict(gated, 'running');
    await gate.arrived(1);
    const waiting = Array.from({ length: 5 }, () => client.predict(gated, 'waiting'));
    for (const answer of await Promise.all([running, ...waiting])) {
      expect(codeOf(answer)).toBe('504 deadline_exceeded');
    }
    gate.openWide();
    expect((await client.predicted(gated, 'later')).predictions).toBe('later');
    expect(gate.arrivals).toEqual(['running', 'later']);
  });
});

describe('a queue', () => {
  it('takes as many as maxQueueSize and refuses the rest at once', async () => {
    const gated = await deployGated({ maxQueueSize: 3 });
    const running = client.predict(gated, 'running');
    await gate.arrived(1);
    const others = await fill(gated, 3, 10);
    expect(gate.arrivals).toEqual(['running']);
    gate.openWide();
    expect(codeOf(await running)).toBe('200');
    const answers = await Promise.all(others);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(codeOf(answer)).toBe('503 overloaded');
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    expect(codeOf(await client.predict(gated, 'after'))).toBe('200');
  });

  it('forgets a request whose client has gone before it runs', async () => {
    const gated = await deployGated({ maxQueueSize: 3 });
    const running = client.predict(gated, 'running');
    await gate.arrived(1);
    const leaving = new AbortController();
    const waiting = await fill(gated, 3, 5, leaving.signal);
    leaving.abort();
    const ended = await Promise.allSettled(waiting);
    expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    await expect.poll(async () => (await usage()).byModel.gated?.errors).toBe(3);
    const next = client.predict(gated, 'next');
    gate.openWide();
    expect(codeOf(await running)).toBe('200');
    expect(codeOf(await next)).toBe('200');
    expect(gate.arrivals).toEqual(['running', 'next']);
  });

  it('goes on after a client left while its request ran', async () => {
    const gated = await deployGated();
    const leaving = new AbortController();
    const running = client.predict(gated, 'running', {}, leaving.signal).catch(() => 'gone');
    await gate.arrived(1);
    leaving.abort();
    expect(await running).toBe('gone');
    const next = client.predicted(gated, 'next');
    gate.openWide();
    expect((await next).predictions).toBe('next');
  });
});

describe('a deployment that is removed', () => {
  it('answers what it has accepted, and takes nothing new', async () => {
    const gated = await deployGated({ maxQueueSize: 4 });
    const running = client.predict(gated, 'running');
    await gate.arrived(1);
    const waiting = await fill(gated, 4, 6);
    const removal = client.send('DELETE', `/deployments/${gated}`);
    await expect
      .poll(async () => {
        const { json } = await client.send('GET', `/deployments/${gated}`);
        return (json as { deployment: { status: string } }).deployment.status;
      })
      .toBe('draining');
    const body = '{"data": 1}';
    const late = await client.send('POST', `/predict/${gated}`, { body });
    expect(codeOf(late)).toBe('503 deployment_unavailable');
    expect(codeOf(await client.predict(gated, 'late'))).toBe('503 deployment_unavailable');
    gate.openWide();
    expect(codeOf(await running)).toBe('200');
    const codes = (await Promise.all(waiting)).map(codeOf).sort();
    expect(codes).toEqual([...Array(4).fill('200'), ...Array(2).fill('503 overloaded')]);
    expect((await removal).status).toBe(200);
    expect(codeOf(await client.predict(gated, 'later'))).toBe('404 deployment_not_found');
  });
});

describe('one worker', () => {
  it('serves a quick deployment while a slow one has much to do', async () => {
    const slow = await client.deploy('wayward', { serving: { maxBatchSize: 1 } });
    const quick = await client.deploy('echo');
    let slowAnswers = 0;
    const slowOnes = Array.from({ length: 200 }, async () => {
      await client.predicted(slow, 'tell the thread');
      slowAnswers++;
    });
    await expect.poll(() => slowAnswers, { interval: 1 }).toBeGreaterThan(0);
    for (let i = 0; i < 10; i++) await client.predicted(quick, i);
    // In turns, ten quick ones let some twenty slow ones pass; in order of arrival it would be all.
    expect(slowAnswers).toBeLessThan(150);
    await Promise.all(slowOnes);
    expect(slowAnswers).toBe(200);
  });
});
