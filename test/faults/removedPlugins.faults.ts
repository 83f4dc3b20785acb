import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

const megabyte = 1024 * 1024;

it('plugins that are deployed and removed thousands of times leave no memory taken', async () => {
  const plugins = await pluginFolder(['echo']);
  const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });

  /** The least memory that the server has in the seconds after so many rounds, in which it collects garbage. */
  const leastAfter = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      const id = await server.admin.deploy('echo');
      expect((await server.admin.send('DELETE', `/deployments/${id}`)).status).toBe(200);
    }
    let least = Number.POSITIVE_INFINITY;
    for (let reading = 0; reading < 30; reading++) {
      await sleep(100);
      least = Math.min(least, server.residentBytes);
    }
    return least;
  };

  // The heaps of threads and of the C library take their time to reach their sizes.
  const before = await leastAfter(2_000);
  expect(((await leastAfter(2_000)) - before) / megabyte).toBeLessThan(24);
}, 300_000);
