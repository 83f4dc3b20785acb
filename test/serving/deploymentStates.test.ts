import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { getDeployment } from '../support/deployments.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

it('tells where a deployment is not, why, and comes back by itself', async () => {
  const plugins = await pluginFolder(['choosy', 'wayward']);
  const server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
  const { admin } = server;
  const obstacle = path.join(await temporaryFolder(), 'obstacle');
  const choosy = await admin.deploy('choosy', { obstacle });
  const wayward = await admin.deploy('wayward');
  const state = () => getDeployment(admin, choosy);
  const readiness = async () => (await admin.send('GET', '/health/ready')).json;
  expect(await state()).toMatchObject({ status: 'active' });
  expect(await readiness()).toEqual({ status: 'ready' });

  writeFileSync(obstacle, '');
  await admin.predict(wayward, 'throw later');
  await expect
    .poll(state, { timeout: 20_000 })
    .toMatchObject({ status: 'degraded', reason: expect.stringContaining('an obstacle') });
  expect((await admin.predict(choosy, 1)).status).toBe(200);
  expect(await readiness()).toEqual({ status: 'ready' });

  // Until the other worker is gone, too.
  await expect
    .poll(
      async () => {
        await admin.predict(wayward, 'throw later');
        return state();
      },
      { timeout: 30_000, interval: 500 },
    )
    .toMatchObject({ status: 'failed', error: expect.stringContaining('an obstacle') });
  const refused = await admin.predict(choosy, 1);
  expect(refused.json).toMatchObject({ status: 503, code: 'deployment_unavailable' });
  expect(await readiness()).toMatchObject({
    status: 503,
    code: 'deployment_unavailable',
    detail: expect.stringMatching(`${choosy} \\(choosy\\) is failed: .*an obstacle`),
  });

  rmSync(obstacle);
  await expect.poll(state, { timeout: 30_000 }).toMatchObject({ status: 'active' });
  expect(await readiness()).toEqual({ status: 'ready' });
  expect((await admin.predict(choosy, 1)).status).toBe(200);
  const changes = server.output
    .split('\n')
    .filter((line) => line.includes('a deployment is failed'));
  expect(changes).toHaveLength(1);
  expect(changes[0]).toMatch(/choosy\/index\.ts:\d+/);
});
