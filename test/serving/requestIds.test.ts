import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { countingLoop } from '../support/onnxModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;
let contextual: string;
let streams: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['contextual', 'streams']);
  const counting = path.join(await temporaryFolder(), 'counting.onnx');
  await writeFile(counting, countingLoop());
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  contextual = await server.admin.deploy('contextual', { counting });
  streams = await server.admin.deploy('streams');
});

/** The id that the plugin's code sees, and what else the request's headers bring. */
async function seen(headers: Record<string, string>, more: Record<string, unknown> = {}) {
  const json = { deploymentId: contextual, data: 'describe', ...more };
  const answer = await server.admin.send('POST', '/predict', { json, headers });
  expect(answer.status, answer.text).toBe(200);
  const { predictions } = answer.json as { predictions: { requestId: string } };
  return { requestId: predictions.requestId, answered: answer.headers['x-request-id'] };
}

async function streamed(deploymentId: string, headers: Record<string, string>): Promise<string> {
  const { text } = await server.admin.send('POST', `/predict/${deploymentId}`, {
    json: { data: 'describe', options: { mode: 'requestId' } },
    headers: { accept: 'text/event-stream', ...headers },
  });
  return text;
}

describe('the request id that a plugin’s code sees', () => {
  it('is the client’s own', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`);
    const all = await Promise.all(ids.map((id) => seen({ 'x-request-id': id })));
    expect(all).toEqual(ids.map((id) => ({ requestId: id, answered: id })));
  });

  it('is there beside a priority and a timeout', async () => {
    const headers = { 'x-priority': '1', 'x-timeout-ms': '5000', 'x-request-id': 'urgent' };
    expect((await seen(headers)).requestId).toBe('urgent');
  });

  it('is the one that logs have, where the client’s can’t be logged', async () => {
    const { requestId, answered } = await seen({ 'x-request-id': 'not plain' });
    expect(requestId).not.toBe('not plain');
    expect(requestId).toBe(answered);
  });

  it('is empty for a request without one, whatever came before it', async () => {
    for (const headers of [{ 'x-request-id': 'first' }, {}]) {
      const json = { deploymentId: 'none', data: 'describe' };
      expect((await server.admin.send('POST', '/predict', { json, headers })).status).toBe(404);
      expect((await seen({})).requestId).toBe('');
    }
  });

  it('is a stream’s, too', async () => {
    expect(await streamed(streams, { 'x-request-id': 'stream-1' })).toContain('"stream-1"');
    expect(await streamed(streams, {})).toContain('"predictions":""');
  });

  it('is there where a model without streams answers one', async () => {
    expect(await streamed(contextual, { 'x-request-id': 'event-1' })).toContain(
      '"requestId":"event-1"',
    );
  });

  it('is empty over WebSocket', async () => {
    const socket = await SocketClient.open(server);
    const { predictions } = await socket.predicted(contextual, 'describe');
    expect(predictions).toMatchObject({ requestId: '' });
    await socket.close();
  });
});
