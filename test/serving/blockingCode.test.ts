import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getDeployment } from '../support/deployments.js';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { OthersLoad } from '../support/othersLoad.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let client: HttpClient;
let streams: string;
let echo: string;
let others: OthersLoad;

beforeAll(async () => {
  const plugins = await pluginFolder(['echo', 'streams', 'blocking', 'wayward']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  client = server.admin;
  streams = await client.deploy('streams');
  echo = await client.deploy('echo');
});

beforeEach(async () => {
  others = await OthersLoad.start(server, streams, echo);
});
afterEach(async () => {
  await others.stop();
  expect(server.output).not.toContain('a worker was lost');
});

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;

const deploy = (config: Record<string, unknown> = {}, serving = {}) =>
  client.deploy('blocking', { ...config, serving: { timeoutMs: 300, ...serving } });

/** Until it answers again, and both workers have it. */
async function recovered(deploymentId: string): Promise<void> {
  const patience = { timeout: 20_000 };
  await expect
    .poll(async () => (await client.predict(deploymentId, 'nothing')).status, patience)
    .toBe(200);
  await expect
    .poll(async () => (await getDeployment(client, deploymentId)).status, patience)
    .toBe('active');
}

describe('a prediction that blocks its worker', () => {
  it.each([
    ['loop', undefined],
    ['catch', undefined],
    ['wait', undefined],
    ['loop', 'promise'],
    ['loop', 'output'],
  ])('is interrupted, and costs nobody else anything: %s in %s', async (way, place) => {
    const blocking = await deploy();
    expect(codeOf(await client.predict(blocking, way, { in: place }))).toBe(
      '504 deadline_exceeded',
    );
    await recovered(blocking);
    await client.send('DELETE', `/deployments/${blocking}`);
  });

  it('may do so again and again, with others in its batch', async () => {
    const blocking = await deploy({}, { maxBatchSize: 4 });
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(
        ['loop', 'nothing', 'loop', 'nothing'].map((way) => client.predict(blocking, way)),
      );
      for (const answer of answers) expect([200, 503, 504]).toContain(answer.status);
    }
    await recovered(blocking);
    await client.send('DELETE', `/deployments/${blocking}`);
  });
});

describe('a stream that blocks its worker', () => {
  it('ends, and costs no other stream anything', async () => {
    const blocking = await deploy();
    const socket = await SocketClient.open(server);
    const opening = { deploymentId: blocking, stream: true };
    socket.send({ ...opening, id: 'good', data: 'first' });
    expect(await socket.next('good')).toMatchObject({ predictions: 'first' });
    socket.send({ ...opening, id: 'bad', data: 'loop' });
    const frames = await socket.rest('bad');
    expect(frames.at(-1)?.error?.code).toBe('deadline_exceeded');
    socket.send({ id: 'good', data: 'second', end: true });
    expect(await socket.rest('good')).toMatchObject([{ predictions: 'second' }, { done: true }]);
    await recovered(blocking);
    await socket.close();
    await client.send('DELETE', `/deployments/${blocking}`);
  });
});

describe('a plugin that ends the process', () => {
  it.each(['exit', 'abort', 'kill'])('fails its own request alone: %s', async (deed) => {
    const wayward = await client.deploy('wayward');
    for (let i = 0; i < 5; i++) {
      expect(codeOf(await client.predict(wayward, deed))).toBe('500 plugin_failed');
    }
    await client.send('DELETE', `/deployments/${wayward}`);
  });
});

describe('unload()', () => {
  it.each(['loop', 'throw'])('costs only itself where it does this: %s', async (onUnload) => {
    const blocking = await deploy({ onUnload });
    expect((await client.send('DELETE', `/deployments/${blocking}`)).status).toBe(200);
    await expect.poll(() => server.output).toContain('unload() failed');
  });
});
