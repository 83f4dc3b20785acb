import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let client: SocketClient;
let streams: string;

const bodyLimit = 64 * 1024;

beforeAll(async () => {
  const plugins = await pluginFolder(['streams']);
  server = await ServerProcess.start({
    plugins: [plugins],
    workers: 1,
    env: { CLOUDEASYML_BODY_LIMIT: String(bodyLimit), CLOUDEASYML_MAX_IN_FLIGHT: '8' },
  });
  streams = await server.admin.deploy('streams');
  client = await SocketClient.open(server);
  client.send({ id: 'steady', deploymentId: streams, data: 0, stream: true });
  await client.next('steady');
});

/** Another id on the connection that goes on. */
async function goesOn(): Promise<void> {
  client.send({ id: 'steady', data: 1 });
  expect(await client.next('steady')).toMatchObject({ predictions: 1 });
}

describe('a frame that cannot be understood gets an error, and other ids go on:', () => {
  const texts: [name: string, frame: string, id: unknown, code: string][] = [
    ['no JSON', 'hello', null, 'malformed_json'],
    ['a string', '"hello"', null, 'bad_request'],
    ['nothing', '', null, 'malformed_json'],
    ['half an object', '{"id": 1, "deployment', 1, 'malformed_json'],
    ['an unclosed array', '{"id": 1, "deploymentId": "x", "data": [1, }', 1, 'malformed_json'],
    ['an array', '[1, 2]', null, 'bad_request'],
    ['two objects', '{"id": 1} {"id": 2}', 1, 'malformed_json'],
    ['no id', '{"deploymentId": "x", "data": 1}', null, 'bad_request'],
    ['an id that is an object', '{"id": {}, "deploymentId": "x"}', null, 'bad_request'],
    ['an id that is true', '{"id": true, "data": 1}', null, 'bad_request'],
    ['an id that is too long', `{"id": "${'x'.repeat(200)}", "data": 1}`, null, 'bad_request'],
    ['nothing to do', '{"id": 1}', 1, 'bad_request'],
    ['an unknown type', '{"id": 1, "type": "subscribe"}', 1, 'bad_request'],
    ['a member twice', '{"id": 1, "data": 1, "data": 2}', 1, 'bad_request'],
    ['an end that is a number', '{"id": 1, "end": 1}', 1, 'bad_request'],
    [
      'input to an id that is not open',
      '{"id": "nobody", "data": 1}',
      'nobody',
      'stream_not_found',
    ],
    [
      'an end of an id that is not open',
      '{"id": "nobody", "end": true}',
      'nobody',
      'stream_not_found',
    ],
    ['a key again', '{"auth": "again"}', null, 'bad_request'],
  ];
  it.each(texts)('%s', async (_, frame, id, code) => {
    client.send(frame);
    const { error } = await client.next(id);
    expect(error?.code).toBe(code);
    expect(error?.detail).toMatch(/^\S.{15,}\.$/);
    await goesOn();
  });

  const binaries: [name: string, frame: Buffer, id: unknown, code: string][] = [
    ['an empty binary frame', Buffer.alloc(0), null, 'bad_request'],
    ['two bytes', Buffer.of(1, 2), null, 'bad_request'],
    [
      'a header that is longer than the frame',
      Buffer.of(255, 255, 255, 255, 123),
      null,
      'bad_request',
    ],
    ['binary garbage', Buffer.from('03000000ffeedd00112233', 'hex'), null, 'malformed_json'],
    ['an empty header', Buffer.alloc(16), null, 'malformed_json'],
  ];
  it.each(binaries)('%s', async (_, frame, id, code) => {
    client.socket.send(frame);
    expect((await client.next(id)).error?.code).toBe(code);
    await goesOn();
  });

  it('JSON that only its parser finds broken', async () => {
    client.send(`{"id": 1, "deploymentId": "${streams}", "data": [1 2]}`);
    expect((await client.next(1)).error?.code).toBe('malformed_json');
    client.send(`{"id": 1, "deploymentId": "${streams}", "data": nul, "stream": true}`);
    expect((await client.next(1)).error?.code).toBe('malformed_json');
    client.send(`{"id": 1, "deploymentId": "${streams}", "data": 1, "stream": true}`);
    await client.next(1);
    client.send('{"id": 1, "data": [1 2]}');
    expect((await client.next(1)).error?.code).toBe('malformed_json');
    await goesOn();
  });

  it('a cancel of an id that is not open is too late, and no error', async () => {
    client.send({ id: 'late', cancel: true });
    await goesOn();
    expect(client.waiting('late')).toBe(0);
  });

  it('more input after the end ends the stream', async () => {
    const options = { mode: 'hang' };
    client.send({ id: 1, deploymentId: streams, data: 1, options, stream: true, end: true });
    await client.next(1);
    client.send({ id: 1, data: 2 });
    expect((await client.next(1)).error).toMatchObject({ code: 'bad_request' });
    await goesOn();
  });

  it('an id that is in use ends what it was used for', async () => {
    const frame = {
      id: 1,
      deploymentId: streams,
      data: 1,
      options: { mode: 'hang' },
      stream: true,
    };
    client.send(frame);
    await client.next(1);
    client.send(frame);
    expect((await client.next(1)).error).toMatchObject({ code: 'bad_request' });
    client.send(frame);
    expect((await client.next(1)).predictions).toBe('hanging');
    client.send({ id: 1, cancel: true });
    expect((await client.next(1)).error?.code).toBe('cancelled');
    await goesOn();
  });

  it('more requests than may be in flight', async () => {
    const frame = { deploymentId: streams, data: 1, options: { mode: 'hang' }, stream: true };
    for (let id = 0; id < 8; id++) client.send({ id, ...frame });
    expect((await client.next(7)).error?.code).toBe('overloaded');
    for (let id = 0; id < 7; id++) client.send({ id, cancel: true });
    for (let id = 0; id < 7; id++) expect((await client.rest(id)).at(-1)?.error).toBeDefined();
    await goesOn();
  });

  it('a frame that is too large', async () => {
    client.send(`{"id": 1, "deploymentId": "${streams}", "data": "${'x'.repeat(bodyLimit)}"}`);
    expect((await client.next(null)).error?.code).toBe('body_too_large');
    await goesOn();
  });
});

describe('the connection is closed', () => {
  it('for a frame many times too large', async () => {
    const other = await SocketClient.open(server);
    other.socket.send(Buffer.alloc(100 * 1024 * 1024));
    const { code } = await other.closed;
    expect(code).toBe(1006);
    await goesOn();
  });

  it('for a frame that comes before the key, with the policy code and the reason', async () => {
    const other = await SocketClient.open(server, undefined, { anonymous: true });
    other.send({ id: 1, deploymentId: streams, data: 1 });
    expect((await other.next(null)).error?.code).toBe('key_missing');
    expect(await other.closed).toEqual({ code: 1008, reason: 'key_missing' });
  });

  it('for a wrong key', async () => {
    const other = await SocketClient.open(server, undefined, { anonymous: true });
    other.send({ auth: 'ce_wrong' });
    expect((await other.next(null)).error?.code).toBe('key_invalid');
    expect(await other.closed).toEqual({ code: 1008, reason: 'key_invalid' });
  });

  it('for a key that was removed, at the next request', async () => {
    const eve = await server.user('eve');
    const own = await eve.deploy('streams');
    const other = await SocketClient.open(server, eve.key);
    await other.predicted(own, 1);
    const { json } = await server.admin.send('GET', '/api-keys');
    const keys = (json as { apiKeys: { keyId: string; userId: string }[] }).apiKeys;
    const { keyId } = keys.find(({ userId }) => userId === 'eve')!;
    await server.admin.send('DELETE', `/api-keys/${keyId}`);
    other.send({ id: 1, deploymentId: own, data: 1 });
    expect((await other.next(null)).error?.code).toBe('key_invalid');
    expect((await other.closed).code).toBe(1008);
  });
});

describe('a key', () => {
  it('may come in the first frame', async () => {
    const other = await SocketClient.open(server, undefined, { anonymous: true });
    other.send({ auth: server.adminKey });
    expect((await other.predicted(streams, 1)).predictions).toBe(1);
  });

  it('that is wrong in the header is refused before the upgrade', async () => {
    await expect(SocketClient.open(server, 'ce_wrong')).rejects.toThrow('401');
  });
});
