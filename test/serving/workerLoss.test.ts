import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let plugins: string;
let server: ServerProcess;
let client: HttpClient;
let flowers: string;
let echo: string;
let wayward: string;
/** Its requests run out of time soon. */
let hasty: string;

beforeAll(async () => {
  plugins = await pluginFolder(['irisClassification', 'echo', 'wayward']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  client = server.admin;
  flowers = await client.deploy('irisClassification');
  echo = await client.deploy('echo');
  wayward = await client.deploy('wayward', { serving: { maxBatchSize: 4 } });
  hasty = await client.deploy('wayward', { serving: { timeoutMs: 500, maxBatchSize: 1 } });
});

/** Keeps both other deployments busy until `stop`, and answers with how often each was answered. */
function load() {
  let going = true;
  const answered = { flowers: 0, echo: 0 };
  const lane = async (number: number) => {
    while (going) {
      const data = [[number, 1, 2, 3]];
      if (number % 2 === 0) {
        const { status, text } = await client.predict(flowers, data);
        expect(status, text).toBe(200);
        answered.flowers++;
      } else {
        expect((await client.predicted(echo, data)).predictions).toEqual(data);
        answered.echo++;
      }
    }
  };
  const lanes = Promise.all(Array.from({ length: 12 }, (_, number) => lane(number)));
  return async () => {
    going = false;
    await lanes;
    return answered;
  };
}

/** The threads that serve, as 40 requests at once find them. */
async function threads(deploymentId: string): Promise<Set<unknown>> {
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => client.predict(deploymentId, 'tell the thread')),
  );
  return new Set(
    answers.flatMap(({ status, json }) =>
      status === 200 ? [(json as { predictions: unknown }).predictions] : [],
    ),
  );
}

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;

let stopLoad: ReturnType<typeof load> | undefined;
afterEach(async () => {
  await stopLoad?.();
  stopLoad = undefined;
});

/** Has a deployment lose its worker under load, and sees that only its own requests in flight fail. */
async function lose(deploymentId: string, deed: string, count: number): Promise<string[]> {
  await expect.poll(async () => (await threads(deploymentId)).size, { timeout: 20_000 }).toBe(2);
  const before = await threads(deploymentId);
  stopLoad = load();
  const answers = await Promise.all(
    Array.from({ length: count }, () => client.predict(deploymentId, deed)),
  );
  // Another thread in the place of each that was lost, with both deployments on it.
  for (const each of [wayward, hasty]) {
    await expect
      .poll(async () => [...(await threads(each))].some((thread) => !before.has(thread)), {
        timeout: 20_000,
      })
      .toBe(true);
  }
  const answered = await stopLoad();
  stopLoad = undefined;
  expect(answered.flowers).toBeGreaterThan(0);
  expect(answered.echo).toBeGreaterThan(0);
  return answers.map(codeOf);
}

describe('a plugin that takes its worker down', () => {
  it.each(['throw later', 'reject unheard'])(
    'fails its own requests at once and no others, where it does so by: %s',
    async (deed) => {
      const codes = await lose(wayward, deed, 3);
      expect(codes).toEqual(Array(3).fill('503 worker_lost'));
    },
  );

  it.each(['exit', 'reallyExit', 'abort', 'kill'])(
    'can’t do so by ending the process, and fails its own request: %s',
    async (deed) => {
      stopLoad = load();
      const answer = await client.predict(wayward, deed);
      expect(codeOf(answer)).toBe('500 plugin_failed');
      expect(answer.text).toContain('must not end the server');
      const answered = await stopLoad();
      expect(answered.echo).toBeGreaterThan(0);
    },
  );

  it('tells clients when to try again', async () => {
    const answer = await client.predict(wayward, 'throw later');
    expect(codeOf(answer)).toBe('503 worker_lost');
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  it('while it loads is an error of its deployment alone', async () => {
    stopLoad = load();
    for (const onLoad of ['exit', 'throw later', 'no deed']) {
      const answer = await client.send('POST', '/deployments', {
        json: { modelName: 'wayward', config: { onLoad } },
      });
      const expected = onLoad === 'no deed' ? '422 invalid_input' : '500 model_load_failed';
      expect(codeOf(answer), answer.text).toBe(expected);
    }
    const { json } = await client.send('GET', '/deployments');
    expect((json as { deployments: unknown[] }).deployments).toHaveLength(4);
    await stopLoad();
  });

  it('keeps no deployment from being removed while its worker is replaced', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => client.deploy('echo')));
    expect(codeOf(await client.predict(wayward, 'throw later'))).toBe('503 worker_lost');
    const removals = ids.map(async (id, i) => {
      // One after the other, so that they meet the loss, the pause after it and the new worker's start.
      await new Promise((resolve) => setTimeout(resolve, i * 15));
      return client.send('DELETE', `/deployments/${id}`);
    });
    for (const removal of removals) expect((await removal).status).toBe(200);
    for (const id of ids) {
      expect(codeOf(await client.predict(id, 1))).toBe('404 deployment_not_found');
    }
  });

  it('on the only worker leaves the others waiting for the next one, not lost', async () => {
    const single = await ServerProcess.start({ plugins: [plugins], workers: 1 });
    const bad = await single.admin.deploy('wayward');
    const good = await single.admin.deploy('echo');
    for (let round = 0; round < 4; round++) {
      const lost = single.admin.predict(bad, 'throw later');
      const waiting = Array.from({ length: 20 }, (_, i) => single.admin.predicted(good, i));
      expect(codeOf(await lost)).toBe('503 worker_lost');
      const answers = await Promise.all(waiting);
      expect(answers.map(({ predictions }) => predictions)).toEqual(answers.map((_, i) => i));
    }
    expect(await single.stop()).toBe(0);
  });
});
