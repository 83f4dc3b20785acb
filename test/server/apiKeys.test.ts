import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalServer } from './support/localServer.js';

const dayMs = 86_400_000;

let server: LocalServer;
let now = Date.now();
beforeEach(async () => {
  now = Date.now();
  server = await LocalServer.start({ now: () => now });
});
afterEach(() => server.stop());

async function restart(adminKey?: string): Promise<void> {
  await server.stop();
  server = await LocalServer.start({ data: server.data, now: () => now, adminKey });
}

async function statusOf(key: string, method = 'GET', route = '/models'): Promise<number> {
  return (await server.call(method, route, { key })).status;
}

describe('API keys', () => {
  it('are made, used, listed and removed', async () => {
    const made = await server.call('POST', '/api-keys', {
      key: server.adminKey,
      body: { name: 'laptop', userId: 'ada', expiresInDays: 1, rateLimit: 100 },
    });
    expect(made.status).toBe(201);
    expect(made.headers.get('cache-control')).toBe('no-store');
    const { apiKey, metadata, warning } = made.json;
    expect(apiKey).toMatch(/^ce_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(warning).toContain('cannot be shown again');
    expect(metadata).toEqual({
      keyId: apiKey.split('_')[1],
      userId: 'ada',
      name: 'laptop',
      permissions: ['predict', 'deploy', 'usage', 'keys'],
      rateLimit: 100,
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(now + dayMs).toISOString(),
    });
    expect(await statusOf(apiKey)).toBe(200);

    const other = await server.makeKey({ userId: 'bob' });
    const listed = await server.call('GET', '/api-keys', { key: apiKey });
    expect(listed.json).toEqual({ apiKeys: [metadata] });
    const all = await server.call('GET', '/api-keys', { key: server.adminKey });
    expect(all.json.apiKeys.map((key: { userId: string }) => key.userId).sort()).toEqual([
      'ada',
      'admin',
      'bob',
    ]);

    const route = `/api-keys/${metadata.keyId}`;
    expect((await server.call('DELETE', route, { key: other })).json.code).toBe('key_not_found');
    expect(await statusOf(apiKey)).toBe(200);
    expect(await statusOf(apiKey, 'DELETE', route)).toBe(200);
    const refused = await server.call('GET', '/models', { key: apiKey });
    expect(refused.json).toMatchObject({ code: 'key_invalid', status: 401 });
    expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    expect(await statusOf(other)).toBe(200);
  });

  it('survive a restart, and are stored as nothing but a hash', async () => {
    const kept = await server.makeKey();
    const removed = await server.makeKey();
    const keyId = removed.split('_')[1];
    await server.call('DELETE', `/api-keys/${keyId}`, { key: server.adminKey });
    const admin = server.adminKey;
    await restart();
    expect(server.adminKey).toBe('');
    expect(await statusOf(kept)).toBe(200);
    expect(await statusOf(admin)).toBe(200);
    expect(await statusOf(removed)).toBe(401);
    const files = readdirSync(server.data).filter((name) => name.startsWith('cloudeasyml.'));
    expect(files).toContain('cloudeasyml.db');
    for (const file of files) {
      const bytes = readFileSync(path.join(server.data, file)).toString('latin1');
      for (const key of [kept, admin]) expect(bytes).not.toContain(key.slice(-43));
    }
  });

  it('never reach the log', async () => {
    const key = await server.makeKey();
    await statusOf(key);
    await statusOf(`${key}x`);
    expect(server.log.length).toBeGreaterThan(2);
    const log = server.log.join('');
    for (const secret of [key, server.adminKey]) expect(log).not.toContain(secret.slice(-43));
  });

  it('are refused from the moment they expire, also when they were in use', async () => {
    const key = await server.makeKey({ expiresInDays: 1 });
    now += dayMs - 1;
    expect(await statusOf(key)).toBe(200);
    now += 1;
    const refused = await server.call('GET', '/models', { key });
    expect(refused.json.code).toBe('key_invalid');
    expect(refused.json.detail).toContain(new Date(now).toISOString());
    await restart();
    expect(await statusOf(key)).toBe(401);
  });

  it('are refused with any part changed', async () => {
    const key = await server.makeKey();
    const [, , ...secret] = key.split('_');
    const tail = secret.join('_');
    // Seen before, it is not hashed again.
    expect(await statusOf(key)).toBe(200);
    const oneChanged = Array.from(
      key,
      (was, at) => `${key.slice(0, at)}${was === 'A' ? 'B' : 'A'}${key.slice(at + 1)}`,
    );
    for (const wrong of [
      ...oneChanged,
      `ce_0000000000000000_${tail}`,
      `ce_bootstrap_${tail}`,
      key.slice(0, -1),
      `${key}A`,
      'x',
      "ce_' OR 1=1 --",
    ]) {
      // Whoever sends many wrong keys has to wait between them.
      now += 60_000;
      const { json } = await server.call('GET', '/models', { key: wrong });
      expect(json.code).toBe('key_invalid');
    }
    for (const authorization of [`Basic ${key}`, key, 'Bearer', 'Bearer ', `Bearer ${key} x`]) {
      now += 60_000;
      const { json } = await server.call('GET', '/models', { headers: { authorization } });
      expect(json.code).toBe('key_invalid');
    }
    const missing = await server.call('GET', '/models');
    expect(missing.json.code).toBe('key_missing');
    const { status } = await server.call('GET', '/models', {
      headers: { authorization: `bearer  ${key}` },
    });
    expect(status).toBe(200);
  });

  it('open just the routes of their permissions', async () => {
    const routes: [string, string, unknown, string][] = [
      ['POST', '/deployments', { modelName: 'doubler' }, 'deploy'],
      ['DELETE', '/deployments/none', undefined, 'deploy'],
      ['GET', '/usage', undefined, 'usage'],
      ['GET', '/api-keys', undefined, 'keys'],
      ['POST', '/api-keys', { name: 'child' }, 'keys'],
      ['DELETE', '/api-keys/none', undefined, 'keys'],
    ];
    for (const permission of ['predict', 'deploy', 'usage', 'keys', 'admin']) {
      const key = await server.makeKey({ permissions: [permission] });
      expect(await statusOf(key)).toBe(200);
      expect(await statusOf(key, 'GET', '/deployments')).toBe(200);
      for (const [method, route, body, wanted] of routes) {
        const { status, json } = await server.call(method, route, { key, body });
        if (permission === wanted || permission === 'admin') expect(status).not.toBe(403);
        else expect(json).toMatchObject({ code: 'forbidden', status: 403 });
      }
    }
  });

  it('give away no more than they have', async () => {
    const key = await server.makeKey({ permissions: ['keys', 'predict'], expiresInDays: 2 });
    const ask = (body: object, by = key) =>
      server.call('POST', '/api-keys', { key: by, body: { name: 'child', ...body } });
    expect((await ask({ userId: 'bob' })).json).toMatchObject({
      code: 'forbidden',
      path: 'userId',
    });
    expect((await ask({ permissions: ['admin'] })).json.code).toBe('forbidden');
    expect((await ask({ permissions: ['predict', 'usage'] })).json.code).toBe('forbidden');
    expect((await ask({ expiresInDays: 3 })).json.code).toBe('forbidden');
    const child = await ask({});
    expect(child.json.metadata).toMatchObject({
      userId: 'ada',
      permissions: ['predict', 'keys'],
      expiresAt: new Date(now + 2 * dayMs).toISOString(),
    });
    const limited = await server.makeKey({ rateLimit: 50 });
    expect((await ask({}, limited)).json.code).toBe('forbidden');
    const admin = await server.makeKey({ permissions: ['admin'] });
    const route = `/api-keys/${admin.split('_')[1]}`;
    expect((await server.call('DELETE', route, { key })).json.code).toBe('forbidden');
    expect((await ask({ userId: 'bob', permissions: ['admin'] }, admin)).status).toBe(201);
  });
});

describe('the bootstrap key', () => {
  it('is made once, and again after it was removed', async () => {
    const first = server.adminKey;
    expect(first).toMatch(/^ce_bootstrap_/);
    await restart();
    expect(server.adminKey).toBe('');
    expect(await statusOf(first, 'DELETE', '/api-keys/bootstrap')).toBe(200);
    expect(await statusOf(first)).toBe(401);
    await restart();
    expect(server.adminKey).toMatch(/^ce_bootstrap_/);
    expect(server.adminKey).not.toBe(first);
    expect(await statusOf(server.adminKey)).toBe(200);
  });

  it('comes from the settings in any form, and replaces the one before', async () => {
    const first = server.adminKey;
    await restart('a-long-admin-key-of-my-own');
    expect(await statusOf('a-long-admin-key-of-my-own')).toBe(200);
    expect(await statusOf(first)).toBe(401);
    await restart();
    expect(await statusOf('a-long-admin-key-of-my-own')).toBe(200);
    const shaped = `ce_0123456789abcdef_${'x'.repeat(43)}`;
    await restart(shaped);
    expect(await statusOf(shaped, 'GET', '/api-keys')).toBe(200);
    expect(await statusOf('a-long-admin-key-of-my-own')).toBe(401);
  });

  it('is made anew in a new data folder', async () => {
    const first = server.adminKey;
    await server.stop();
    rmSync(server.data, { recursive: true });
    server = await LocalServer.start({ data: server.data });
    expect(await statusOf(first)).toBe(401);
    expect(await statusOf(server.adminKey)).toBe(200);
  });
});
