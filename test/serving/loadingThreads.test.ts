import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listDeployments } from '../support/deployments.js';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { OthersLoad } from '../support/othersLoad.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let client: HttpClient;
let streams: string;
let echo: string;
let others: OthersLoad;

beforeAll(async () => {
  const plugins = await pluginFolder(['echo', 'streams', 'wayward']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  client = server.admin;
  streams = await client.deploy('streams');
  echo = await client.deploy('echo');
});

beforeEach(async () => {
  others = await OthersLoad.start(server, streams, echo);
});
afterEach(() => others.stop());

const deploy = (config: Record<string, unknown>) =>
  client.send('POST', '/deployments', { json: { modelName: 'wayward', config } });

const codeOf = ({ status, json }: Answer) => `${status} ${(json as { code?: string }).code}`;

const loading = async () =>
  (await listDeployments(client)).filter(({ status }) => status === 'loading');

describe('a plugin that does not finish loading', () => {
  it.each(['never answer', 'loop'])(
    'fails when its time is up, and costs nobody else anything: %s',
    async (onLoad) => {
      const answer = await deploy({ onLoad, serving: { loadTimeoutMs: 500 } });
      expect(codeOf(answer)).toBe('500 model_load_failed');
      expect(answer.text).toContain('within 0.5 s');
      expect(await listDeployments(client)).toHaveLength(2);
    },
  );

  it('is given up at once where its deployment is removed', async () => {
    const attempts = ['loop', 'never answer', 'loop'].map((onLoad) => deploy({ onLoad }));
    await expect.poll(loading).toHaveLength(3);
    // Others load beside it.
    await client.send('DELETE', `/deployments/${await client.deploy('echo')}`);
    for (const { deploymentId } of await loading()) {
      expect((await client.send('DELETE', `/deployments/${deploymentId}`)).status).toBe(200);
    }
    for (const attempt of attempts) expect(codeOf(await attempt)).toBe('409 conflict');
    expect(await listDeployments(client)).toHaveLength(2);
  });
});

describe('a plugin that ends its thread while it loads', () => {
  it.each(['exit', 'throw later'])('fails, and costs nobody else anything: %s', async (onLoad) => {
    expect(codeOf(await deploy({ onLoad }))).toBe('500 model_load_failed');
    expect(await listDeployments(client)).toHaveLength(2);
  });
});

describe('a plugin that throws while it loads', () => {
  it('has its own stack in the log', async () => {
    expect(codeOf(await deploy({ onLoad: 'no deed' }))).toBe('422 invalid_input');
    await expect.poll(() => server.output).toMatch(/wayward\/index\.ts:\d+/);
  });
});
