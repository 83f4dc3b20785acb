import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer, HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { countingUp } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SmallDisk } from '../support/smallDisk.js';

let disk: SmallDisk | undefined;
let server: ServerProcess;
let plugins: string;

beforeEach(async (context) => {
  disk = SmallDisk.mount(800 * 1024);
  if (!disk) return context.skip('no file system can be mounted here');
  plugins = await pluginFolder([], { model: { model: countingUp() } });
  server = await start();
});

afterEach(async () => {
  await server?.kill();
  disk?.unmount();
});

const start = () => ServerProcess.start({ plugins: [plugins], workers: 1, data: disk!.folder });

const codeOf = ({ status, json }: Answer) =>
  status < 300 ? String(status) : `${status} ${(json as { code?: string }).code}`;

const keyIdOf = ({ key }: HttpClient) => key!.split('_')[1];
const models = async (client: HttpClient) => codeOf(await client.send('GET', '/models'));

async function deployments(client: HttpClient): Promise<string[]> {
  const { json } = await client.send('GET', '/deployments');
  return (json as { deployments: { deploymentId: string }[] }).deployments.map(
    ({ deploymentId }) => deploymentId,
  );
}

describe('with a full disk', () => {
  it('an API key that is removed is refused at once, and for good once there is room', async () => {
    const user = await server.user('ada');
    expect(await models(user)).toBe('200');
    disk!.fill();
    const route = `/api-keys/${keyIdOf(user)}`;
    const removed = await server.admin.send('DELETE', route);
    expect(codeOf(removed)).toBe('503 storage_failed');
    expect((removed.json as { detail: string }).detail).toContain('after a restart');
    expect(removed.headers['retry-after']).toBeDefined();
    expect(removed.text).not.toContain(disk!.folder);
    expect(await models(user)).toBe('401 key_invalid');
    const { json } = await server.admin.send('GET', '/api-keys');
    expect(JSON.stringify(json)).not.toContain(keyIdOf(user));
    // Whoever asks again is told the same.
    expect(codeOf(await server.admin.send('DELETE', route))).toBe('503 storage_failed');

    disk!.empty();
    await expect
      .poll(async () => codeOf(await server.admin.send('DELETE', route)))
      .toMatch(/^(200|404 key_not_found)$/);
    await server.kill();
    server = await start();
    expect(await models(server.admin.as(user.key))).toBe('401 key_invalid');
  });

  it('a removal that nobody asks for again is stored by itself, at the latest by the stop', async () => {
    const [one, other] = [await server.user('ada'), await server.user('bob')];
    disk!.fill();
    for (const user of [one, other]) {
      const removed = await server.admin.send('DELETE', `/api-keys/${keyIdOf(user)}`);
      expect(codeOf(removed)).toBe('503 storage_failed');
    }
    disk!.empty();
    expect(await server.stop()).toBe(0);
    server = await start();
    for (const user of [one, other]) {
      expect(await models(server.admin.as(user.key))).toBe('401 key_invalid');
    }
  });

  it('no key is made, and those that there are go on', async () => {
    const user = await server.user('ada');
    disk!.fill();
    const made = await server.admin.send('POST', '/api-keys', { json: { name: 'one' } });
    expect(codeOf(made)).toBe('503 storage_failed');
    expect(made.text).not.toContain('apiKey');
    expect(await models(user)).toBe('200');
    const { json } = await server.admin.send('GET', '/api-keys');
    expect((json as { apiKeys: unknown[] }).apiKeys).toHaveLength(2);
    disk!.empty();
    await server.user('bob');
  });

  it('deployments stay as clients were told, also after a restart', async () => {
    const kept = await server.admin.deploy('model');
    disk!.fill();
    const made = await server.admin.send('POST', '/deployments', { json: { modelName: 'model' } });
    expect(codeOf(made)).toBe('503 storage_failed');
    const removed = await server.admin.send('DELETE', `/deployments/${kept}`);
    expect(codeOf(removed)).toBe('503 storage_failed');
    expect(await deployments(server.admin)).toEqual([kept]);
    expect(codeOf(await server.admin.predict(kept, [[1, 2]]))).toBe('200');

    disk!.empty();
    await server.kill();
    server = await start();
    expect(await deployments(server.admin)).toEqual([kept]);
    expect((await server.admin.send('DELETE', `/deployments/${kept}`)).status).toBe(200);
    await server.kill();
    server = await start();
    expect(await deployments(server.admin)).toEqual([]);
  });

  it('usage is kept until it can be stored', async () => {
    const deploymentId = await server.admin.deploy('model');
    disk!.fill();
    for (let i = 0; i < 5; i++) await server.admin.predicted(deploymentId, [[1, 2]]);
    const refused = await server.admin.send('GET', '/usage');
    expect(codeOf(refused)).toBe('503 storage_failed');
    expect(refused.text).toContain('database or disk is full');
    disk!.empty();
    const { json } = await server.admin.send('GET', '/usage');
    expect(json).toMatchObject({ totalRequests: 5 });
  });

  it('a stop is still in order, and says what is lost', async () => {
    const user = await server.user('ada');
    const deploymentId = await server.admin.deploy('model');
    disk!.fill();
    await server.admin.predicted(deploymentId, [[1, 2]]);
    await server.admin.send('DELETE', `/api-keys/${keyIdOf(user)}`);
    expect(await server.stop()).toBe(0);
    expect(server.output).toContain('usage is lost');
    expect(server.output).toContain('will be valid again');
  });
});
