import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalServer } from './support/localServer.js';

let server: LocalServer;
let ada: string;
let bob: string;
let users = 0;
beforeAll(async () => {
  server = await LocalServer.start();
});
beforeEach(async () => {
  ada = await server.makeKey({ userId: `ada${++users}` });
  bob = await server.makeKey({ userId: `bob${users}` });
});

const deploy = (key: string, body: object = { modelName: 'doubler' }) =>
  server.call('POST', '/deployments', { key, body });

describe('deployments', () => {
  it('are made, shown, listed and removed', async () => {
    const modelsLoaded = async () => (await server.call('GET', '/health')).json.modelsLoaded;
    const before = await modelsLoaded();
    const made = await deploy(ada, { modelName: 'doubler', config: { factor: { by: [2] } } });
    expect(made.status).toBe(201);
    const { deployment, message } = made.json;
    expect(deployment).toEqual({
      deploymentId: expect.stringMatching(/^dep_[0-9a-f]{20}$/),
      modelName: 'doubler',
      modelVersion: '1.2.0',
      status: 'active',
      config: { factor: { by: [2] } },
      endpoint: `/predict/${deployment.deploymentId}`,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(message).toBe('The deployment of doubler 1.2.0 is active.');
    const route = `/deployments/${deployment.deploymentId}`;
    expect(made.headers.get('location')).toBe(route);
    expect((await server.call('GET', route, { key: ada })).json).toEqual({ deployment });
    const listed = await server.call('GET', '/deployments', { key: ada });
    expect(listed.json).toEqual({ deployments: [deployment] });
    expect(await modelsLoaded()).toBe(before + 1);

    expect((await server.call('DELETE', route, { key: ada })).status).toBe(200);
    expect((await server.call('DELETE', route, { key: ada })).status).toBe(404);
    expect(await modelsLoaded()).toBe(before);
  });

  it('are hidden from other users, and open to an admin', async () => {
    const { deploymentId } = (await deploy(ada)).json.deployment;
    const other = (await deploy(bob)).json.deployment.deploymentId;
    const route = `/deployments/${deploymentId}`;
    for (const method of ['GET', 'DELETE']) {
      const { json } = await server.call(method, route, { key: bob });
      expect(json).toMatchObject({ code: 'deployment_not_found', status: 404 });
      const none = await server.call(method, '/deployments/none', { key: bob });
      expect(none.json.detail).toBe(json.detail.replace(deploymentId, 'none'));
    }
    const listed = async (key: string) => {
      const { json } = await server.call('GET', '/deployments', { key });
      return json.deployments.map(
        (deployment: { deploymentId: string }) => deployment.deploymentId,
      );
    };
    expect(await listed(bob)).toEqual([other]);
    const key = server.adminKey;
    expect(await listed(key)).toEqual(expect.arrayContaining([deploymentId, other]));
    expect((await server.call('GET', route, { key })).status).toBe(200);
    expect((await server.call('DELETE', route, { key })).status).toBe(200);
  });

  it('refuse a request that does not fit, with the path of the fault', async () => {
    for (const [body, path] of [
      [{}, 'modelName'],
      [{ modelName: 5 }, 'modelName'],
      [{ modelName: '' }, 'modelName'],
      [{ modelName: 'doubler', modelVersion: null }, 'modelVersion'],
      [{ modelName: 'doubler', config: [] }, 'config'],
      [{ modelName: 'doubler', cofnig: {} }, 'cofnig'],
    ] as const) {
      expect((await deploy(ada, body)).json).toMatchObject({
        code: 'invalid_input',
        status: 422,
        path,
        detail: expect.stringContaining(path),
      });
    }
    const list = await deploy(ada, [1, 2]);
    expect(list.json.detail).toBe('The body: expected an object but received a list.');
    expect(list.json.path).toBeUndefined();
    expect((await deploy(ada, { modelName: 'none' })).json.code).toBe('model_not_found');
  });
});

describe('the server', () => {
  it('lists the models', async () => {
    const { json } = await server.call('GET', '/models', { key: ada });
    expect(json.models).toMatchObject([{ name: 'doubler', version: '1.2.0' }]);
  });
});
