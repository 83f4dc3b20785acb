import { beforeAll, expect, it } from 'vitest';
import { HttpClient } from '../support/httpClient.js';
import { LocalServer } from './support/localServer.js';

let server: LocalServer;
/** With one connection, so that each request shows whether the last one left it fit. */
let client: HttpClient;
beforeAll(async () => {
  server = await LocalServer.start();
  client = new HttpClient(server.url, server.adminKey, 1);
});

const ownHeaders = ['content-type', 'content-length', 'content-security-policy', 'cache-control'];

it.each(['/health', '/models', '/deployments', '/usage', '/docs', '/openapi.json', '/nope'])(
  'HEAD %s has the headers of GET, no body, and leaves the connection fit for the next request',
  async (path) => {
    const get = await client.send('GET', path);
    for (let round = 0; round < 3; round++) {
      const head = await client.send('HEAD', path).catch(({ code }) => code);
      expect(head).toMatchObject({ status: get.status, text: '' });
      expect(head.headers.connection).not.toBe('close');
      // The timestamp of /health is always as long.
      if (path === '/nope') continue;
      for (const name of ownHeaders) expect(head.headers[name]).toBe(get.headers[name]);
    }
  },
);

it('HEAD is answered in turn between other requests on one connection', async () => {
  const head = 'HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
  const get = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
  const received = await new Promise<string>((resolve) => {
    const socket = server.connect();
    let text = '';
    socket.on('data', (data) => {
      text += data;
      if (text.split('"alive"').length === 3) socket.destroy();
    });
    socket.on('close', () => resolve(text));
    socket.write(head + get + head + head + get);
  });
  expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(5);
  expect(received.match(/content-length: 18/gi)).toHaveLength(5);
});

it('HEAD wants the key that GET wants, and is refused where there is no GET', async () => {
  const stranger = client.as(undefined, 1);
  for (let round = 0; round < 2; round++) {
    expect(await stranger.send('HEAD', '/models')).toMatchObject({ status: 401, text: '' });
    const refused = await stranger.send('HEAD', '/predict');
    expect(refused).toMatchObject({ status: 405, text: '' });
    expect(refused.headers.allow).toBe('POST');
  }
});
