import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { countingOne, noisy, rowsBelowLimit, steppingUp } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

let server: ServerProcess;

beforeAll(async () => {
  const plugins = await pluginFolder([], {
    noisy: { model: noisy() },
    steppingUp: { model: steppingUp() },
    countingOne: { model: countingOne() },
    rowsBelowLimit: { model: rowsBelowLimit() },
  });
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
});

describe('a model', () => {
  it('whose answers are never twice the same serves each client its own', async () => {
    const noise = await server.admin.deploy('noisy', { serving: { maxQueueDelayUs: 3000 } });
    const answers = Array.from({ length: 50 }, async (_, client) => {
      const connection = server.admin.as(server.adminKey, 1);
      const { predictions } = await connection.predicted(noise, [[client, -client]]);
      const [[first, second]] = predictions as [[number, number]];
      expect(first).toBeCloseTo(client, 1);
      expect(second).toBeCloseTo(-client, 1);
      return first;
    });
    const drawn = (await Promise.all(answers)).map((first, client) => first - client);
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });

  it('that rarely has too few rows disturbs none but who made it so', async () => {
    const serving = { maxQueueDelayUs: 3000 };
    const deploymentId = await server.admin.deploy('rowsBelowLimit', { serving });
    const isOdd = (client: number) => client % 10 === 3;
    const ask = async (client: number) => {
      const connection = server.admin.as(server.adminKey, 1);
      const data = [
        [client, 1],
        [isOdd(client) ? 2e30 : client, 2],
      ];
      const { status, json, text } = await connection.predict(deploymentId, data);
      if (isOdd(client)) return { status, code: (json as { code?: string }).code };
      expect(json, text).toMatchObject({ predictions: data });
      return { status };
    };
    const alone = [];
    for (let client = 0; client < 50; client++) alone.push(await ask(client));
    expect(await Promise.all(alone.map((_, client) => ask(client)))).toEqual(alone);
  });

  it('whose run is as long as its input says is loaded all the same', async () => {
    const stepping = await server.admin.deploy('steppingUp');
    const data = { x: [[1], [2]], steps: 3 };
    expect(await server.admin.predicted(stepping, data)).toMatchObject({
      predictions: [[4], [5]],
    });
  });

  it('of one row at a time answers a request as soon as its row is done', async () => {
    const serving = { maxQueueDelayUs: 100_000, timeoutMs: 1500 };
    const counting = await server.admin.deploy('countingOne', { serving });
    const socket = await SocketClient.open(server);
    // In one batch: the second request's row would take weeks.
    socket.send({ id: 'quick', deploymentId: counting, data: [[3]] });
    socket.send({ id: 'endless', deploymentId: counting, data: [[1e15]] });
    const [quick, endless] = await Promise.all([socket.next('quick'), socket.next('endless')]);
    expect(quick).toMatchObject({ done: true, predictions: [[3]] });
    expect(endless).toMatchObject({ error: { code: 'deadline_exceeded' } });
    expect(await server.admin.predicted(counting, [[5], [7]])).toMatchObject({
      predictions: [[5], [7]],
    });
  });
});
