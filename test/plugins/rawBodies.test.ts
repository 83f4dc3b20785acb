import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ServerProcess } from '../support/serverProcess.js';

const fileAt = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ workers: 1 });
});

async function ask(deploymentId: string, body: string | Buffer | FormData, contentType?: string) {
  const response = await fetch(`${server.url}/predict/${deploymentId}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.adminKey}`,
      ...(contentType && { 'content-type': contentType }),
    },
    body,
  });
  const { processingTimeMs: _, ...answer } = (await response.json()) as Record<string, unknown>;
  return { status: response.status, answer };
}

const inJson = (data: unknown) => JSON.stringify({ data });

describe('a bundled plugin takes a body of bytes', () => {
  it('textRecognition an image, or a form of images', async () => {
    const id = await server.admin.deploy('textRecognition');
    const image = fileAt('plugins/textRecognition/example.png');
    const expected = await ask(id, inJson(image.toString('base64')), 'application/json');
    expect(expected.status).toBe(200);
    expect(await ask(id, image, 'image/png')).toEqual(expected);

    const form = new FormData();
    for (const name of ['a.png', 'b.png']) form.append('image', new Blob([image]), name);
    const both = await ask(id, form);
    const { predictions } = expected.answer;
    expect(both).toMatchObject({
      status: 200,
      answer: { predictions: [predictions, predictions] },
    });

    const noImage = await ask(id, Buffer.from('no image'), 'image/png');
    expect(noImage).toMatchObject({ status: 422, answer: { path: 'data' } });
  });

  it('voiceActivity a WAV file', async () => {
    const id = await server.admin.deploy('voiceActivity');
    const wav = fileAt('test/fixtures/voiceActivity/twoSentences16k.wav');
    const expected = await ask(id, inJson({ wav: wav.toString('base64') }), 'application/json');
    expect(expected.status).toBe(200);
    expect(await ask(id, wav, 'audio/wav')).toEqual(expected);
  });
});
