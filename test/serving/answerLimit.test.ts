import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { repeating, widening } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

const limit = 1024 * 1024;
/** `{"predictions":[0.1234567,…],"metadata":{},…}` */
const bytesPerElement = 10;

let server: ServerProcess;
let socket: SocketClient;
let repeat: string;
let wide: string;
let sized: string;

beforeAll(async () => {
  const plugins = await pluginFolder(['sized'], {
    repeating: { model: repeating() },
    widening: { model: widening() },
  });
  server = await ServerProcess.start({
    plugins: [plugins],
    env: { CLOUDEASYML_ANSWER_LIMIT: String(limit) },
  });
  socket = await SocketClient.open(server);
  repeat = await server.admin.deploy('repeating');
  wide = await server.admin.deploy('widening');
  sized = await server.admin.deploy('sized');
});

async function refusalOf(deploymentId: string, data: unknown): Promise<string> {
  const { status, json, text } = await server.admin.predict(deploymentId, data);
  expect([status, text.length < 1000 ? text : 'a long answer']).toEqual([422, text]);
  expect(json).toMatchObject({ code: 'answer_too_large' });
  return (json as { detail: string }).detail;
}

const tooLarge = `The answer would have more than ${limit} bytes, the server's answerLimit. Ask for less at once.`;

describe('an answer above answerLimit', () => {
  it('is refused by the number of its elements before it is written', async () => {
    expect(await refusalOf(repeat, 600_000)).toBe(tooLarge);
    expect(await refusalOf(repeat, 100_000_000)).toMatch(/outputs would take more than 4194304/);
  });

  it('is refused where its text grows beyond the limit', async () => {
    expect(await refusalOf(repeat, Math.ceil(limit / bytesPerElement))).toBe(tooLarge);
    expect(await refusalOf(repeat, Math.ceil(limit / bytesPerElement) * 2)).toBe(tooLarge);
  });

  it('is refused as a binary frame by its exact size', async () => {
    const ask = (count: number) => {
      socket.send({ id: count, deploymentId: repeat, data: count, binary: true });
      return socket.next(count);
    };
    expect((await ask(limit / 4)).error).toEqual({ code: 'answer_too_large', detail: tooLarge });
    expect((await ask(limit / 4 - 100)).bytes).toHaveLength(limit - 400);
  });

  it('is refused before the run where the model declares how large its outputs are', async () => {
    const rows = Array.from({ length: 2000 }, (_, row) => [row]);
    expect(await refusalOf(wide, rows)).toMatch(/outputs would take more than 4194304 bytes/);
    const { predictions } = await server.admin.predicted(wide, rows.slice(0, 100));
    expect(predictions).toEqual(rows.slice(0, 100).map((row) => Array(1000).fill(row[0])));
  });

  it('fails alone where it shared a run with others', async () => {
    const rows = Array.from({ length: 600 }, (_, row) => [row]);
    const asked = await Promise.all([
      server.admin.predict(wide, rows),
      ...Array.from({ length: 8 }, () => server.admin.predict(wide, rows.slice(0, 2))),
    ]);
    expect(asked.map((answer) => answer.status)).toEqual([422, ...Array(8).fill(200)]);
  });

  it('is refused where a plugin made it', async () => {
    expect(await refusalOf(sized, limit)).toBe(tooLarge);
    expect((await server.admin.predicted(sized, limit / 2)).predictions).toHaveLength(limit / 2);
  });

  it('ends a stream whose output it is', async () => {
    socket.send({ id: 'stream', deploymentId: sized, data: 5, stream: true });
    expect(await socket.next('stream')).toMatchObject({ predictions: 'xxxxx' });
    socket.send({ id: 'stream', data: limit });
    expect((await socket.next('stream')).error).toEqual({
      code: 'answer_too_large',
      detail: tooLarge,
    });
  });

  it('is no matter for the next request', async () => {
    expect((await server.admin.predicted(repeat, 3)).predictions).toEqual(Array(3).fill(0.1234567));
    expect((await server.admin.predicted(sized, 3)).predictions).toBe('xxx');
  });
});
