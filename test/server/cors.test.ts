import { afterEach, describe, expect, it } from 'vitest';
import { LocalServer } from './support/localServer.js';

let server: LocalServer;
afterEach(() => server.stop());

const preflight = (origin: string) =>
  server.call('OPTIONS', '/deployments', {
    headers: { origin, 'access-control-request-method': 'POST' },
  });
const models = (origin: string, key = server.adminKey) =>
  server.call('GET', '/models', { key, headers: { origin } });
const allowed = 'access-control-allow-origin';

describe('cross-origin calls', () => {
  it('are off unless they are configured', async () => {
    server = await LocalServer.start();
    expect((await preflight('https://a.example')).status).toBe(405);
    const { headers } = await models('https://a.example');
    expect(headers.get(allowed)).toBeNull();
    expect(headers.get('vary')).toBeNull();
  });

  it('are allowed to the configured origins only, errors included', async () => {
    server = await LocalServer.start({ cors: ['https://a.example', 'https://b.example'] });
    const asked = await preflight('https://b.example');
    expect(asked.status).toBe(200);
    expect(asked.headers.get(allowed)).toBe('https://b.example');
    expect(asked.headers.get('access-control-allow-methods')).toBe('POST, GET');
    const headersAllowed = asked.headers.get('access-control-allow-headers');
    for (const name of ['authorization', 'x-priority', 'x-timeout-ms']) {
      expect(headersAllowed).toContain(name);
    }
    expect((await preflight('https://evil.example')).headers.get(allowed)).toBeNull();

    const { headers, status } = await models('https://a.example');
    expect(status).toBe(200);
    expect(headers.get(allowed)).toBe('https://a.example');
    expect(headers.get('vary')).toBe('origin');
    const refused = await models('https://a.example', 'wrong');
    expect(refused.status).toBe(401);
    expect(refused.headers.get(allowed)).toBe('https://a.example');
    expect((await models('https://evil.example')).headers.get(allowed)).toBeNull();
  });

  it('are allowed to every origin by *', async () => {
    server = await LocalServer.start({ cors: ['*'] });
    expect((await preflight('https://any.example')).headers.get(allowed)).toBe('*');
    expect((await models('https://any.example')).headers.get(allowed)).toBe('*');
  });
});
