import { beforeAll, describe, expect, it } from 'vitest';
import { errorTable } from '../../dist/errors.js';
import { LocalServer } from './support/localServer.js';

let server: LocalServer;
let key: string;
beforeAll(async () => {
  server = await LocalServer.start({ requestTimeoutMs: 200 });
  key = await server.makeKey();
});

async function problem(method: string, route: string, options = {}) {
  const answer = await server.call(method, route, { key, ...options });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const code = answer.json.code as keyof typeof errorTable;
  expect(answer.json).toMatchObject({
    type: `/docs#${code}`,
    title: errorTable[code].title,
    status: errorTable[code].status,
    requestId: answer.headers.get('x-request-id'),
  });
  expect(answer.status).toBe(errorTable[code].status);
  expect(answer.json.detail.length).toBeGreaterThan(10);
  expect(answer.text).not.toContain('dist/');
  expect(answer.text).not.toContain(key);
  return answer;
}

const post = (raw: string | Uint8Array, headers = {}) =>
  problem('POST', '/deployments', { raw, headers });

/** Sends bytes over a bare connection and answers with all that comes until it is closed. */
function exchange(...parts: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = server.connect();
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
    for (const part of parts) socket.write(part);
  });
}

describe('a problem document', () => {
  it('answers an unknown route', async () => {
    for (const route of ['/', '/nope', '/models/', '/deployments/a/b', '/api-keys/a/b']) {
      expect((await problem('GET', route)).json.code).toBe('route_not_found');
    }
    expect((await problem('GET', '/nope')).json.detail).toContain('GET /nope');
  });

  it('answers a method that the route does not know, with those that it knows', async () => {
    for (const [method, route, allow] of [
      ['PUT', '/deployments', 'POST, GET, HEAD'],
      ['POST', '/deployments/x', 'GET, HEAD, DELETE'],
      ['DELETE', '/usage', 'GET, HEAD'],
      ['GET', '/api-keys/x', 'DELETE'],
      ['OPTIONS', '/models', 'GET, HEAD'],
      ['POST', '/health', 'GET, HEAD'],
      ['GET', '/predict/x', 'POST'],
    ] as const) {
      const { json, headers } = await problem(method, route);
      expect(json.code).toBe('method_not_allowed');
      expect(headers.get('allow')).toBe(allow);
    }
  });

  it('answers malformed JSON, with the position', async () => {
    for (const [body, position] of [
      ['{"modelName": }', 'position 14 (line 1, column 15)'],
      ['{"modelName": "a",\n}', 'position 19 (line 2, column 1)'],
      ['{"modelName": "a"', 'position 17'],
      ['{"modelName": "a"} x', 'position 19'],
      ['[1 2]', 'position 3'],
      ['nul', 'position 0'],
      ['{"modelName": NaN}', 'position 14'],
      ['[01]', 'position 2'],
      ['"\u0001"', 'position 1'],
      ['['.repeat(100), 'more than 64 levels of nesting at position 64'],
    ] as const) {
      const { json } = await post(body);
      expect(json.code).toBe('malformed_json');
      expect(json.detail).toContain(position);
    }
    expect((await post(new Uint8Array([0x22, 0xff, 0x22]))).json.detail).toContain('UTF-8');
    const none = await problem('POST', '/deployments');
    expect(none.json).toMatchObject({ code: 'malformed_json' });
  });

  it('answers another media type, and takes every name of JSON', async () => {
    const body = '{"modelName": "doubler"}';
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
      const { json } = await post(body, { 'content-type': type });
      expect(json.code).toBe('unsupported_media_type');
    }
    for (const type of [
      'application/json; charset=utf-8',
      'application/vnd.api+json',
      'application/x-www-form-urlencoded',
    ]) {
      const headers = { 'content-type': type };
      expect((await server.call('POST', '/deployments', { key, raw: body, headers })).status).toBe(
        201,
      );
    }
    const bare = await exchange(
      `POST /deployments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      '',
    ).catch(() => '');
    expect(bare).toContain('201 Created');
  });

  it('answers a body over the limit, whether it says its length or not', async () => {
    const body = `{"modelName": "${'x'.repeat(70_000)}"}`;
    expect((await post(body)).json.code).toBe('body_too_large');
    expect((await post(body)).json.detail).toContain('65536');
    const raw = `{"name": "${'x'.repeat(20_000)}"}`;
    const { json } = await problem('POST', '/api-keys', { raw });
    expect(json).toMatchObject({
      code: 'body_too_large',
      detail: expect.stringContaining('16384'),
    });
    const stream = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 50; part++) controller.enqueue(new TextEncoder().encode(body));
        controller.close();
      },
    });
    const chunked = await fetch(`${server.url}/deployments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
    expect(await chunked.json()).toMatchObject({ code: 'body_too_large' });
    expect((await server.call('GET', '/models', { key })).status).toBe(200);
  });

  it('answers a body that does not arrive, and closes the connection', async () => {
    const received = await exchange(
      `POST /deployments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 100\r\n\r\n`,
      '{"modelName":',
    );
    expect(received).toContain('408 Request Timeout');
    expect(received).toContain('"code":"request_timeout"');
    expect(received.toLowerCase()).toContain('connection: close');
  });

  it('carries the client’s request id where it is fit for a log', async () => {
    const id = async (header: string) =>
      (await problem('GET', '/nope', { headers: { 'x-request-id': header } })).json.requestId;
    expect(await id('abc-1')).toBe('abc-1');
    expect(await id('a b')).not.toBe('a b');
    expect(await id('x'.repeat(200))).not.toContain('x'.repeat(200));
    expect(await id('')).not.toBe(await id(''));
  });

  it('leaves the connection fit for the next request', async () => {
    const received = await exchange(
      'HEAD /models HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /deployments HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
      `POST /deployments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 9\r\n\r\n{"a": 1}`,
    );
    const statuses = [...received.matchAll(/HTTP\/1.1 (\d+)/g)].map((match) => match[1]);
    expect(statuses).toEqual(['401', '401', '408']);
  });

  it('closes the connection where the body is not read to its end', async () => {
    const received = await exchange(
      `POST /deployments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 70000\r\n\r\n`,
      'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'.padEnd(70_000),
    );
    expect([...received.matchAll(/HTTP\/1.1 (\d+)/g)].map((match) => match[1])).toEqual(['413']);
    expect(received.toLowerCase()).toContain('connection: close');
  });
});
