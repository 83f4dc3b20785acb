import http from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let streams: string;
let flowers: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['irisClassification', 'streams']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  streams = await server.admin.deploy('streams');
  flowers = await server.admin.deploy('irisClassification');
});

interface Event {
  event: string;
  data: unknown;
}

/** Events as the HTML standard has them parsed. */
function parseEvents(text: string): Event[] {
  return text
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith(':')))
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const fields = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
      return { event: fields.event, data: JSON.parse(fields.data) };
    });
}

const accept = { accept: 'text/event-stream' };

async function events(body: Record<string, unknown>, path = '/predict'): Promise<Event[]> {
  const answer = await server.admin.send('POST', path, { json: body, headers: accept });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
  });
  return parseEvents(answer.text);
}

/** Begins a stream and leaves it open. */
function open(options: Record<string, unknown>): Promise<http.IncomingMessage> {
  const headers = { ...accept, authorization: `Bearer ${server.adminKey}` };
  return new Promise((resolve, reject) => {
    const url = `${server.url}/predict/${streams}`;
    const request = http.request(url, { method: 'POST', headers }, resolve);
    request.on('error', reject);
    request.end(JSON.stringify({ data: 1, options }));
  });
}

async function counts(): Promise<{ ended: number; yielded: number }> {
  return (await server.admin.predicted(streams, 'counts')).predictions as never;
}

describe('POST /predict with accept: text/event-stream', () => {
  it('gives each output as an event, then the end', async () => {
    const options = { mode: 'ticks', count: 3, everyMs: 1 };
    const all = await events({ deploymentId: streams, data: 1, options });
    expect(all).toEqual([
      ...[0, 1, 2].map((i) => ({
        event: 'prediction',
        data: { seq: i, predictions: i, metadata: expect.anything() },
      })),
      { event: 'done', data: { processingTimeMs: expect.any(Number) } },
    ]);
  });

  it('takes the deployment in the path, too', async () => {
    const all = await events({ data: 5, options: { mode: 'echo' } }, `/predict/${streams}`);
    expect(all.map(({ event }) => event)).toEqual(['prediction', 'done']);
  });

  it('gives one event and the end where the model answers whole requests only', async () => {
    const data = [[5.1, 3.5, 1.4, 0.2]];
    const { predictions } = await server.admin.predicted(flowers, data);
    const [first, second, ...others] = await events({ deploymentId: flowers, data });
    expect(first).toMatchObject({ event: 'prediction', data: { seq: 0, predictions } });
    expect(second?.event).toBe('done');
    expect(others).toEqual([]);
  });

  it('tells of an error after the first byte as an event', async () => {
    const all = await events({ deploymentId: streams, data: 1, options: { mode: 'throw' } });
    expect(all.at(-1)).toEqual({
      event: 'error',
      data: { code: 'plugin_failed', detail: 'It went wrong.' },
    });
    const missing = await events({ deploymentId: streams });
    expect(missing).toMatchObject([
      { event: 'error', data: { code: 'invalid_input', path: 'data' } },
    ]);
  });

  it('tells of an error before that as any request does', async () => {
    const cases: [body: string, status: number][] = [
      ['{"deploymentId": "dep_none", "data": 1}', 404],
      ['{"data": 1}', 422],
      ['nonsense', 400],
      [`{"deploymentId": "${flowers}", "data": [[1]]}`, 422],
    ];
    for (const [body, status] of cases) {
      const answer = await server.admin.send('POST', '/predict', { body, headers: accept });
      expect(answer.status, answer.text).toBe(status);
      expect(answer.headers['content-type']).toBe('application/problem+json');
    }
    const stranger = server.admin.as(undefined);
    const answer = await stranger.send('POST', '/predict', { json: {}, headers: accept });
    expect(answer.status).toBe(401);
  });

  it('sends what there is at once, and the connection serves the next request', async () => {
    const response = await open({ mode: 'hang' });
    let text = '';
    for await (const chunk of response) {
      text += chunk;
      if (text.includes('hanging')) break;
    }
    expect(parseEvents(text)).toMatchObject([{ event: 'prediction' }]);
    const options = { mode: 'ticks', count: 1 };
    const client = server.admin.as(server.adminKey, 1);
    for (let i = 0; i < 3; i++) {
      const json = { deploymentId: streams, data: 1, options };
      const answer = await client.send('POST', '/predict', { json, headers: accept });
      expect(parseEvents(answer.text)).toHaveLength(2);
    }
    client.close();
  });

  it('ends the plugin’s code when its client goes', async () => {
    const before = await counts();
    const response = await open({ mode: 'hang' });
    await new Promise((resolve) => response.once('data', resolve));
    response.destroy();
    await expect.poll(async () => (await counts()).ended).toBe(before.ended + 1);
  });

  it('makes the plugin wait for a client that reads slowly, and loses nothing', async () => {
    const before = await counts();
    const count = 800;
    const response = await open({ mode: 'burst', count, bytes: 64 * 1024 });
    response.pause();
    let last = -1;
    for (let now = 0; now !== last; ) {
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 300));
      now = (await counts()).yielded - before.yielded;
    }
    expect(last).toBeLessThan(count);
    let text = '';
    for await (const chunk of response) text += chunk;
    const all = parseEvents(text);
    expect(all).toHaveLength(count + 1);
    expect(all.at(-1)?.event).toBe('done');
  });

  it('counts on its user’s account', async () => {
    const ada = await server.user('ada');
    const own = await ada.deploy('streams');
    const json = { deploymentId: own, data: 1, options: { mode: 'ticks', count: 5 } };
    await ada.send('POST', '/predict', { json, headers: accept });
    const usage = await ada.send('GET', '/usage');
    expect(usage.json).toMatchObject({ totalCost: 0.25, totalRequests: 1 });
  });
});
