import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import type { HttpClient } from '../support/httpClient.js';
import { countingLoop } from '../support/onnxModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let client: HttpClient;
let contextual: string;
/** Its requests run out of time soon. */
let hasty: string;
let partly: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['contextual', 'partly']);
  const counting = path.join(await temporaryFolder(), 'counting.onnx');
  await writeFile(counting, countingLoop());
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  client = server.admin;
  contextual = await client.deploy('contextual', { counting });
  hasty = await client.deploy('contextual', { counting, serving: { timeoutMs: 300 } });
  partly = await client.deploy('partly');
});

const ends = async (deploymentId: string) =>
  (await client.predicted(deploymentId, 'ends')).predictions as string[];

describe('a request’s context', () => {
  it('tells its deadline', async () => {
    const { predictions } = await client.predicted(contextual, 'describe');
    const { leftMs, ...rest } = predictions as { leftMs: number };
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(30_000);
    expect(rest).toMatchObject({ requestId: expect.any(String), aborted: false });
  });

  it('writes to the server’s log, with the deployment’s and the model’s name', async () => {
    await client.predicted(contextual, 'log');
    const line = () => server.output.split('\n').find((text) => text.includes('something to say'));
    await expect.poll(line).toBeDefined();
    expect(JSON.parse(line()!)).toMatchObject({
      level: 'warn',
      deploymentId: contextual,
      modelName: 'contextual',
      details: { count: 3, error: { name: 'RangeError', message: 'odd' } },
    });
  });

  it.each([
    ['wait', 'aborted: cancelled'],
    ['run', 'stopped: cancelled'],
  ])('ends what is done for it at the deadline: %s', async (deed, end) => {
    const before = (await ends(hasty)).length;
    expect((await client.predict(hasty, deed)).status).toBe(504);
    await expect.poll(() => ends(hasty)).toHaveLength(before + 1);
    expect((await ends(hasty)).at(-1)).toBe(end);
  });

  it.each([
    ['wait', 'aborted: cancelled'],
    ['run', 'stopped: cancelled'],
  ])('ends what is done for it when its client goes: %s', async (deed, end) => {
    const before = (await ends(contextual)).length;
    const leaving = new AbortController();
    const asked = client.predict(contextual, deed, {}, leaving.signal).catch(() => 'gone');
    // Long enough for the request to arrive; nothing is lost where it was not.
    await new Promise((resolve) => setTimeout(resolve, 200));
    leaving.abort();
    expect(await asked).toBe('gone');
    expect(await ends(contextual)).toHaveLength(before + 1);
    expect((await ends(contextual)).at(-1)).toBe(end);
  });
});

describe('what a plugin throws', () => {
  it('is logged with its own name and place, and its client sees the message alone', async () => {
    const answer = await client.predict(contextual, 'throw');
    expect(answer.json).toMatchObject({
      status: 500,
      code: 'plugin_failed',
      detail: 'The plugin does not like it.',
    });
    expect(answer.text).not.toContain('index.ts');
    const line = () =>
      server.output.split('\n').find((text) => text.includes('"type":"RangeError"'));
    await expect.poll(line).toBeDefined();
    expect(JSON.parse(line()!)).toMatchObject({
      deploymentId: contextual,
      modelName: 'contextual',
      err: { message: 'The plugin does not like it.' },
    });
    expect(line()).toMatch(/contextual\/index\.ts:\d+:\d+/);
  });
});

describe('predictBatch()', () => {
  it('may answer an item with an error, which fails that request alone', async () => {
    const data = Array.from({ length: 24 }, (_, i) => ['wrong', 'bad', i][i % 3]);
    const answers = await Promise.all(data.map((each) => client.predict(partly, each)));
    for (const [i, { json }] of answers.entries()) {
      expect(json).toMatchObject(
        [
          { status: 422, code: 'invalid_input', path: 'data' },
          { status: 500, code: 'plugin_failed', detail: 'It went bad.' },
          { predictions: { data: i, aborted: false, single: 0 } },
        ][i % 3]!,
      );
    }
  });
});
