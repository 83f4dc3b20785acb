import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlPlane } from './support/controlPlane.js';

let plane: ControlPlane;
let ada: string;
let bob: string;
beforeEach(async () => {
  plane = await ControlPlane.start();
  ada = await plane.makeKey({ userId: 'ada' });
  bob = await plane.makeKey({ userId: 'bob' });
});
afterEach(() => plane.stop());

const deploy = (key: string, body: object = { modelName: 'doubler' }) =>
  plane.call('POST', '/deployments', { key, body });

describe('deployments', () => {
  it('are made, shown, listed and removed', async () => {
    const made = await deploy(ada, { modelName: 'doubler', config: { factor: { by: [2] } } });
    expect(made.status).toBe(201);
    const { deployment, message } = made.json;
    expect(deployment).toEqual({
      deploymentId: expect.stringMatching(/^[0-9a-f-]{36}$/),
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
    expect((await plane.call('GET', route, { key: ada })).json).toEqual({ deployment });
    const listed = await plane.call('GET', '/deployments', { key: ada });
    expect(listed.json).toEqual({ deployments: [deployment] });
    const health = await plane.call('GET', '/health');
    expect(health.json).toMatchObject({ status: 'healthy', modelsLoaded: 1 });

    expect((await plane.call('DELETE', route, { key: ada })).status).toBe(200);
    expect((await plane.call('DELETE', route, { key: ada })).status).toBe(404);
    expect((await plane.call('GET', '/health')).json.modelsLoaded).toBe(0);
  });

  it('are hidden from other users, and open to an admin', async () => {
    const { deploymentId } = (await deploy(ada)).json.deployment;
    await deploy(bob);
    const route = `/deployments/${deploymentId}`;
    for (const method of ['GET', 'DELETE']) {
      const { json } = await plane.call(method, route, { key: bob });
      expect(json).toMatchObject({ code: 'deployment_not_found', status: 404 });
      const none = await plane.call(method, '/deployments/none', { key: bob });
      expect(none.json.detail).toBe(json.detail.replace(deploymentId, 'none'));
    }
    const own = await plane.call('GET', '/deployments', { key: bob });
    expect(own.json.deployments).toHaveLength(1);
    const key = plane.adminKey;
    expect((await plane.call('GET', '/deployments', { key })).json.deployments).toHaveLength(2);
    expect((await plane.call('GET', route, { key })).status).toBe(200);
    expect((await plane.call('DELETE', route, { key })).status).toBe(200);
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
  it('tells probes whether it lives and is ready', async () => {
    expect((await plane.call('GET', '/health/live')).json).toEqual({ status: 'alive' });
    expect((await plane.call('GET', '/health/ready')).json).toEqual({ status: 'ready' });
    for (const state of ['starting', 'draining'] as const) {
      plane.readiness = state;
      const { status, json, headers } = await plane.call('GET', '/health/ready');
      expect({ status, code: json.code }).toEqual({ status: 503, code: state });
      expect(headers.get('retry-after')).toBe('1');
      expect((await plane.call('GET', '/health/live')).status).toBe(200);
    }
  });

  it('takes nothing on while it drains', async () => {
    plane.readiness = 'draining';
    const refused = await deploy(ada);
    expect(refused.json).toMatchObject({ code: 'draining', status: 503 });
    expect(refused.headers.get('retry-after')).toBe('1');
    plane.readiness = 'ready';
    const { json } = await plane.call('GET', '/deployments', { key: ada });
    expect(json.deployments).toEqual([]);
  });

  it('lists the models', async () => {
    const { json } = await plane.call('GET', '/models', { key: ada });
    expect(json.models).toMatchObject([{ name: 'doubler', version: '1.2.0' }]);
  });
});
