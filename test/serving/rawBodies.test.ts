import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { Random } from '../support/random.js';
import { countingUp } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

const bodyLimit = 1024 * 1024;

let server: ServerProcess;
let describing: string;
let counting: string;
beforeAll(async () => {
  const plugins = await pluginFolder(['describing'], { counting: { model: countingUp() } });
  const env = { CLOUDEASYML_BODY_LIMIT: String(bodyLimit) };
  server = await ServerProcess.start({ plugins: [plugins], workers: 1, env });
  describing = await server.admin.deploy('describing');
  counting = await server.admin.deploy('counting');
});

const random = new Random(1);
const someBytes = (length: number) => Uint8Array.from({ length }, () => random.below(256));
const described = (bytes: Uint8Array) => ({
  bytes: bytes.byteLength,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

async function send(
  body: Uint8Array | string,
  type: string,
  headers: Record<string, string> = {},
  path = `/predict/${describing}`,
) {
  return server.admin.send('POST', path, { body, headers: { 'content-type': type, ...headers } });
}

async function sendForm(form: FormData, path = `/predict/${describing}`) {
  // It makes the body, and the boundary for the header.
  const request = new Request('http://localhost', { method: 'POST', body: form });
  const body = new Uint8Array(await request.arrayBuffer());
  return send(body, request.headers.get('content-type')!, {}, path);
}

const problem = (status: number, code: string, more = {}) => ({
  status,
  json: expect.objectContaining({ code, ...more }),
});

describe('a body of bytes', () => {
  it.each([
    'image/png',
    'image/svg+xml',
    'audio/wav',
    'video/mp4',
    'application/octet-stream',
    'Image/PNG; some=parameter',
  ])('of type %s reaches a plugin as they are', async (type) => {
    const bytes = someBytes(1000);
    const contentType = type.split(';')[0]!.toLowerCase();
    expect(await send(bytes, type)).toMatchObject({
      status: 200,
      json: { predictions: described(bytes), metadata: { options: {}, contentType } },
    });
  });

  it('may be empty, come in many pieces, and be up to the limit, not beyond', async () => {
    const type = 'application/octet-stream';
    for (const length of [0, 1, 100_000, bodyLimit]) {
      const bytes = someBytes(length);
      const answer = await send(bytes, type);
      expect(answer).toMatchObject({ status: 200, json: { predictions: described(bytes) } });
    }
    expect(await send(someBytes(bodyLimit + 1), type)).toMatchObject(
      problem(413, 'body_too_large'),
    );
  });

  it('may be compressed, if it says so; what only looks so is left as it is', async () => {
    const bytes = someBytes(5000);
    const packed = gzipSync(bytes);
    const gzip = { 'content-encoding': 'gzip' };
    expect(await send(packed, 'image/png', gzip)).toMatchObject({
      json: { predictions: described(bytes) },
    });
    expect(await send(packed, 'image/png')).toMatchObject({
      json: { predictions: described(packed) },
    });
    expect(await send(packed, 'image/png', { 'content-encoding': 'br' })).toMatchObject(
      problem(415, 'unsupported_media_type'),
    );
  });

  it('obeys the priority and timeout of its headers', async () => {
    expect(
      await send('x', 'image/png', { 'x-priority': '1', 'x-timeout-ms': '5000' }),
    ).toMatchObject({ status: 200 });
    expect(await send('x', 'image/png', { 'x-priority': '10' })).toMatchObject(
      problem(422, 'invalid_input', { path: 'x-priority' }),
    );
  });
});

describe('a form', () => {
  it('has fields as text, files as bytes, JSON parts and lists where names repeat', async () => {
    const [one, other] = [someBytes(2000), someBytes(3)];
    const form = new FormData();
    form.append('question', 'Wie heißt das?');
    form.append('image', new Blob([one], { type: 'image/png' }), 'a picture.png');
    form.append('boxes', new Blob(['[1, {"x": 2}]'], { type: 'application/json' }));
    form.append('page', 'first');
    form.append('page', 'second');
    form.append('page', new Blob([other]), 'third');
    form.append('options', '{"top": 3}');
    expect(await sendForm(form)).toMatchObject({
      status: 200,
      json: {
        predictions: {
          question: 'Wie heißt das?',
          image: described(one),
          boxes: [1, { x: 2 }],
          page: ['first', 'second', described(other)],
        },
        metadata: { options: { top: 3 }, contentType: 'multipart/form-data' },
      },
    });
  });

  it('may have no options, and none but an object', async () => {
    const form = new FormData();
    form.append('a', '');
    expect(await sendForm(form)).toMatchObject({
      json: { predictions: { a: '' }, metadata: { options: {} } },
    });
    for (const options of ['3', '[]', 'null', '{', '']) {
      form.set('options', options);
      expect(await sendForm(form), options).toMatchObject(
        problem(422, 'invalid_input', { path: 'options' }),
      );
    }
  });

  it('that is broken is refused', async () => {
    const part = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nhello';
    for (const [body, type] of [
      ['no parts', 'multipart/form-data; boundary=x'],
      ['', 'multipart/form-data; boundary=x'],
      [part, 'multipart/form-data; boundary=x'],
      [`${part}\r\n--x\r\n`, 'multipart/form-data; boundary=x'],
      [`${part}\r\n--x--\r\n`, 'multipart/form-data; boundary=y'],
      [`${part}\r\n--x--\r\n`, 'multipart/form-data'],
      [`${part}\r\n--x--\r\n`, 'multipart/form-data; boundary='],
    ] as const) {
      expect(await send(body, type), body).toMatchObject(problem(400, 'bad_request'));
    }
    for (const type of [
      'multipart/form-data; boundary=x',
      'multipart/form-data; boundary="x"',
      'Multipart/Form-Data; charset=utf-8; Boundary=x; more=y',
    ]) {
      const answer = await send(`${part}\r\n--x--\r\n`, type);
      expect(answer, type).toMatchObject({ status: 200, json: { predictions: { a: 'hello' } } });
    }
  });
});

describe('a body that is no JSON', () => {
  it('is not for a model without code', async () => {
    const form = new FormData();
    form.append('x', '1');
    const path = `/predict/${counting}`;
    for (const answer of [await send('x', 'image/png', {}, path), await sendForm(form, path)]) {
      expect(answer).toMatchObject(problem(415, 'unsupported_media_type'));
    }
    const json = { data: [[1, 2]] };
    expect(await server.admin.send('POST', path, { json })).toMatchObject({ status: 200 });
  });

  it('names no deployment, so the path must', async () => {
    const answer = await send('x', 'image/png', {}, '/predict');
    expect(answer).toMatchObject(
      problem(415, 'unsupported_media_type', {
        detail: expect.stringContaining('/predict/{deploymentId}'),
      }),
    );
  });

  it('of a type that nobody reads is refused with those that are read', async () => {
    for (const type of ['text/plain', 'application/xml', 'image', 'image/', 'multipart/mixed']) {
      const answer = await send('x', type);
      expect(answer).toMatchObject(
        problem(415, 'unsupported_media_type', { detail: expect.stringContaining('image/*') }),
      );
    }
  });
});
