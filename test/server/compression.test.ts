import { setTimeout as sleep } from 'node:timers/promises';
import { constants, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { HttpClient, type SendOptions } from '../support/httpClient.js';
import { LocalServer } from './support/localServer.js';

const bodyLimit = 256 * 1024;
const codings = [
  ['gzip', gzipSync, gunzipSync],
  ['deflate', deflateSync, inflateSync],
] as const;

let server: LocalServer;
let client: HttpClient;
let doubler: string;
beforeAll(async () => {
  server = await LocalServer.start({ bodyLimit });
  client = new HttpClient(server.url, server.adminKey);
  doubler = await client.deploy('doubler');
});

const post = (path: string, body: Uint8Array | string, coding?: string) =>
  client.send('POST', path, {
    body,
    headers: { ...(coding && { 'content-encoding': coding }) },
  });
const problem = (status: number, code: string) => ({
  status,
  json: expect.objectContaining({ code }),
});
/** Sends a body in pieces, each when the one before has had time to arrive. */
function sendPieces(path: string, pieces: readonly Uint8Array[]): Promise<string> {
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  return new Promise((resolve, reject) => {
    const socket = server.connect();
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('connect', async () => {
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.adminKey}\r\nContent-Length: ${length}\r\n\r\n`,
      );
      for (const piece of pieces) {
        await sleep(20);
        socket.write(piece);
      }
    });
  });
}
const keyRequest = '{"name": "a key"}';
const numbers = (length: number) => Array.from({ length }, (_, i) => i);

describe.each(codings)('a %s body', (coding, pack) => {
  it('is read by a management route', async () => {
    const answer = await post('/api-keys', pack(keyRequest), coding);
    expect(answer).toMatchObject({ status: 201, json: { metadata: { name: 'a key' } } });
  });

  it('is read by a prediction, which looks at its first bytes', async () => {
    const path = `/predict/${doubler}`;
    for (const length of [3, 1000, 20_000]) {
      const data = numbers(length);
      for (const said of [coding, undefined]) {
        for (const level of [constants.Z_NO_COMPRESSION, 1, 6, 9]) {
          const toPath = await post(path, pack(JSON.stringify({ data }), { level }), said);
          expect(toPath.status, toPath.text).toBe(200);
          expect(toPath.json).toMatchObject({ predictions: data.map((value) => value * 2) });
        }
        const body = pack(JSON.stringify({ deploymentId: doubler, data }));
        expect(await post('/predict', body, said)).toMatchObject({ status: 200 });
      }
    }
  });

  it('may come in pieces, the first of them after the headers', async () => {
    const body = pack(JSON.stringify({ deploymentId: doubler, data: numbers(3) }));
    for (const at of [2, 10, body.length - 1]) {
      const pieces = [body.subarray(0, at), body.subarray(at)];
      expect(await sendPieces('/predict', pieces)).toContain('"predictions":[0,2,4]');
    }
  });

  it('is limited after inflating', async () => {
    const bomb = pack(Buffer.alloc(64 * 1024 * 1024, ' '));
    expect(bomb.length).toBeLessThan(bodyLimit);
    expect(await post(`/predict/${doubler}`, bomb)).toMatchObject(problem(413, 'body_too_large'));
    const small = pack(keyRequest.padEnd(17 * 1024));
    expect(small.length).toBeLessThan(1024);
    expect(await post('/api-keys', small, coding)).toMatchObject(problem(413, 'body_too_large'));
    const fits = pack(JSON.stringify({ data: [1] }).padEnd(bodyLimit));
    expect(await post(`/predict/${doubler}`, fits)).toMatchObject({ status: 200 });
  });

  it('that is damaged is refused', async () => {
    const whole = pack(JSON.stringify({ data: numbers(1000) }));
    const cut = whole.subarray(0, whole.length - 20);
    const changed = Buffer.from(whole);
    changed.fill(0xff, whole.length / 2, whole.length / 2 + 20);
    for (const body of [cut, changed]) {
      for (const path of [`/predict/${doubler}`, '/api-keys']) {
        expect(await post(path, body, coding)).toMatchObject(problem(400, 'bad_request'));
      }
    }
    expect(await post('/api-keys', keyRequest, coding)).toMatchObject(problem(400, 'bad_request'));
  });
});

describe('a body in a coding that the server does not know', () => {
  it('is refused by a management route', async () => {
    for (const coding of ['br', 'zstd', 'gzip, gzip']) {
      const answer = await post('/api-keys', keyRequest, coding);
      expect(answer).toMatchObject(problem(415, 'unsupported_media_type'));
    }
    expect((await post('/api-keys', keyRequest, 'identity')).status).toBe(201);
  });
});

describe('an answer', () => {
  const large = numbers(2000);
  const ask = (accept: string | undefined, data = large) =>
    client.send('POST', `/predict/${doubler}`, {
      json: { data },
      headers: { 'accept-encoding': accept },
    });
  const predictions = large.map((value) => value * 2);

  beforeAll(async () => {
    // Until one answer was large, clients are not asked what they accept.
    expect((await ask(undefined)).json).toMatchObject({ predictions });
  });

  it.each(codings)(
    'that is large comes in %s where the client accepts it',
    async (coding, _, unpack) => {
      const answer = await ask(coding);
      expect(answer.headers).toMatchObject({
        'content-encoding': coding,
        vary: 'accept-encoding',
        'content-type': 'application/json',
        'content-length': String(answer.bytes.length),
      });
      expect(answer.bytes.length).toBeLessThan(5000);
      expect(JSON.parse(unpack(answer.bytes).toString())).toMatchObject({ predictions });
    },
  );

  it('comes in the coding that the client likes best', async () => {
    for (const [accept, coding] of [
      ['gzip, deflate, br', 'gzip'],
      ['deflate, gzip;q=0.5', 'deflate'],
      ['*', 'gzip'],
      ['gzip;q=0, *', 'deflate'],
      ['br', undefined],
      ['identity', undefined],
      ['gzip;q=0', undefined],
      [undefined, undefined],
    ]) {
      const { headers } = await ask(accept);
      expect(headers['content-encoding'], accept).toBe(coding);
    }
  });

  it('to HEAD has the headers of GET, compressed too', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    const get = await client.send('GET', '/openapi.json', { headers });
    const head = await client.send('HEAD', '/openapi.json', { headers });
    expect(head).toMatchObject({ status: 200, text: '' });
    for (const name of ['content-encoding', 'content-length', 'content-type', 'vary']) {
      expect(head.headers[name]).toBe(get.headers[name]);
    }
  });

  it('of events comes as it is, so that each event comes at once', async () => {
    const answer = await client.send('POST', `/predict/${doubler}`, {
      json: { data: large },
      headers: { 'accept-encoding': 'gzip', accept: 'text/event-stream' },
    });
    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect(answer.text).toMatch(/^\s*event: prediction\n/);
  });

  it('to a page of another origin varies by both', async () => {
    const other = await LocalServer.start({ cors: ['https://a.example'] });
    const { headers } = await other.call('GET', '/openapi.json', {
      headers: { origin: 'https://a.example', 'accept-encoding': 'gzip' },
    });
    expect(headers.get('content-encoding')).toBe('gzip');
    expect(headers.get('vary')).toBe('origin, accept-encoding');
  });

  it('that is small comes as it is', async () => {
    const answer = await ask('gzip', [1]);
    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect(answer.json).toMatchObject({ predictions: [2] });
  });

  it.each(['/openapi.json', '/docs', '/models'])(
    'of GET %s is the same, compressed',
    async (path) => {
      const get = (accept?: string) =>
        client.send('GET', path, { headers: { 'accept-encoding': accept } } satisfies SendOptions);
      const plain = await get();
      const packed = await get('gzip');
      if (plain.bytes.length < 2048) expect(packed.headers['content-encoding']).toBeUndefined();
      else expect(gunzipSync(packed.bytes).toString()).toBe(plain.text);
      expect(packed.headers['content-type']).toBe(plain.headers['content-type']);
    },
  );

  it('is right for each of many that ask at once', async () => {
    const asked = Array.from({ length: 60 }, (_, i) => numbers(1500).map((value) => value + i));
    const answers = await Promise.all(
      asked.map((data, i) => ask(['gzip', 'deflate', undefined][i % 3], data)),
    );
    for (const [i, { bytes }] of answers.entries()) {
      const unpack = [gunzipSync, inflateSync, (same: Buffer) => same][i % 3]!;
      expect(JSON.parse(unpack(bytes).toString()).predictions).toEqual(
        asked[i]!.map((value) => value * 2),
      );
    }
  });
});
