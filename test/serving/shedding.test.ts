import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

const ms = 8;
const serving = { maxBatchSize: 1, timeoutMs: 100 };

let server: ServerProcess;

beforeAll(async () => {
  const plugins = await pluginFolder(['slow']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
});

/** Sends requests at an even rate, whatever becomes of them. */
async function offer(deploymentId: string, perSecond: number, seconds: number): Promise<Answer[]> {
  const answers: Promise<Answer>[] = [];
  const start = performance.now();
  const total = perSecond * seconds;
  while (answers.length < total) {
    const due = ((performance.now() - start) / 1000) * perSecond;
    while (answers.length < Math.min(due, total)) {
      answers.push(server.admin.predict(deploymentId, answers.length));
    }
    await sleep(1);
  }
  return Promise.all(answers);
}

describe('a deployment that is asked for more than it can do', () => {
  it('answers what it takes in time, and refuses the rest with what the wait would be', async () => {
    const slow = await server.admin.deploy('slow', { ms, serving });
    for (let i = 0; i < 20; i++) await server.admin.predict(slow, i);
    const answers = await offer(slow, (2.5 * 1000) / ms, 2);
    const having = (status: number) => answers.filter((answer) => answer.status === status);
    const [answered, refused, late] = [having(200), having(503), having(504)];
    expect(answered.length + refused.length + late.length).toBe(answers.length);
    // At its best it can do two in five.
    expect(refused.length).toBeGreaterThan(answers.length / 2);
    expect(late.length).toBeLessThan(answered.length / 5);
    for (const { json, headers } of refused) {
      expect(json).toMatchObject({ code: 'overloaded' });
      expect((json as { detail: string }).detail).toMatch(/ about [1-9]\d* ms, .* deadline/);
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
  });

  it('takes urgent requests that it would refuse as ordinary ones', async () => {
    const slow = await server.admin.deploy('slow', { ms, serving });
    for (let i = 0; i < 20; i++) await server.admin.predict(slow, i);
    const ordinary = offer(slow, (2.5 * 1000) / ms, 1);
    const urgent: number[] = [];
    for (let i = 0; i < 20; i++) {
      const json = { deploymentId: slow, data: 'urgent', priority: 1 };
      urgent.push((await server.admin.send('POST', '/predict', { json })).status);
      await sleep(1);
    }
    expect(urgent.filter((status) => status === 503)).toEqual([]);
    expect((await ordinary).some(({ status }) => status === 503)).toBe(true);
  });

  it('is not closed by one run that took longer than its requests have time for', async () => {
    const slow = await server.admin.deploy('slow', { ms, firstMs: 300, serving });
    expect((await server.admin.predict(slow, 'first')).status).toBe(504);
    const next = async () => (await server.admin.predict(slow, 'next')).status;
    await expect.poll(next, { timeout: 5000 }).toBe(200);
  });
});
