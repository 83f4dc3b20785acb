import http from 'node:http';
import { beforeAll, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let client: HttpClient;

beforeAll(async () => {
  server = await ServerProcess.start({ plugins: [await pluginFolder(['echo'])], workers: 1 });
  client = server.admin;
});

const remove = (id: string) => client.send('DELETE', `/deployments/${id}`);

/** Begins a prediction, and sends its last byte when `rest` resolves. @returns the answer's status */
function beginPrediction(id: string, rest: Promise<unknown>): Promise<number | undefined> {
  const body = '{"data":1}';
  return new Promise((resolve, reject) => {
    const request = http.request(`${server.url}/predict/${id}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.adminKey}`, 'content-length': body.length },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.write(body.slice(0, -1));
    void rest.then(() => request.end(body.slice(-1)));
  });
}

it('a request for a deployment that was removed reaches none that came after it', async () => {
  const removed = await client.deploy('echo');
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  const begun = beginPrediction(removed, promise);
  // Another connection's request that came later has been answered.
  expect((await client.predict(removed, 1)).status).toBe(200);
  await remove(removed);
  for (let i = 0; i < 40; i++) await remove(await client.deploy('echo'));
  const later = await client.deploy('echo');
  resolve();
  expect(await begun).toBe(404);
  await remove(later);
});

it('each of many deployments is reached while others come and go', async () => {
  const kept: string[] = [];
  for (let i = 0; i < 40; i++) {
    kept.push(await client.deploy('echo'));
    if (i % 3 === 0) await remove(kept.splice(i % kept.length, 1)[0]!);
  }
  const answers = await Promise.all(
    kept.map((id) => client.send('POST', `/predict/${id}`, { json: { data: id } })),
  );
  expect(answers.map(({ json }) => (json as { predictions: string }).predictions)).toEqual(kept);
});
