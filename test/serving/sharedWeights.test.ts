import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { randomWeights } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

const megabyte = 2 ** 20;
/** Rows and columns of the weights: 100 MB of them. */
const size = 5120;
const row = Array.from({ length: size }, (_, i) => ((i % 7) - 3) / 8);

let plugins: string;
beforeAll(async () => {
  plugins = await pluginFolder(['session'], {
    heavy: { model: randomWeights(size) },
    light: { model: randomWeights(8) },
  });
});

/** Megabytes that a process has in memory. */
async function residentMemory({ pid }: ServerProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** What memory settles on: what loading took and gave back does not count. */
async function settledMemory(server: ServerProcess): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < 8; reading++) {
    least = Math.min(least, await residentMemory(server));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return least;
}

/** Has every worker run the model. */
async function predictions(server: ServerProcess, deploymentId: string, data: number[][]) {
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => server.admin.predicted(deploymentId, data)),
  );
  return new Set(answers.map((answer) => JSON.stringify(answer.predictions)));
}

/**
 * Megabytes that the heavy model takes on so many workers, beyond what the light one takes there: the
 * threads, their heaps and the plugin's code are the same for both.
 */
async function memoryOfHeavyModel(workers: number, withCode: boolean) {
  const env = { CLOUDEASYML_ONNX_RUNTIME_INTRA_OP_THREADS: '1' };
  const server = await ServerProcess.start({ plugins: [plugins], workers, env });
  const deploy = (model: string) =>
    withCode
      ? server.admin.deploy('session', {
          model: path.join(plugins, model, 'model.onnx'),
          serving: { maxBatchSize: 1 },
        })
      : server.admin.deploy(model, { serving: { maxBatchSize: 1 } });
  await predictions(server, await deploy('light'), [row.slice(0, 8)]);
  const before = await settledMemory(server);
  const answers = await predictions(server, await deploy('heavy'), [row]);
  const memory = (await settledMemory(server)) - before;
  expect(await server.stop()).toBe(0);
  return { memory, answers };
}

describe.skipIf(process.platform !== 'linux')('a model of 100 MB', () => {
  it.each([
    ['no-code', false],
    ['code', true],
  ])(
    'of a %s plugin is in memory once, however many workers serve it',
    async (_, withCode) => {
      const one = await memoryOfHeavyModel(1, withCode);
      const ten = await memoryOfHeavyModel(10, withCode);
      expect(one.memory).toBeGreaterThan((size * size * 4) / megabyte / 2);
      expect(ten.memory).toBeLessThan(1.3 * one.memory);
      expect(ten.answers.size).toBe(1);
      expect(ten.answers).toEqual(one.answers);
    },
    120_000,
  );
});
