import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { isSanitized, ServerProcess } from '../support/serverProcess.js';

const megabyte = 1024 * 1024;

let server: ServerProcess;
beforeEach(async () => {
  const plugins = await pluginFolder(['echo', 'holding']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 2 });
});

afterEach(() => server.kill());

async function deployAndRemove(modelName: string): Promise<void> {
  const id = await server.admin.deploy(modelName);
  expect((await server.admin.send('DELETE', `/deployments/${id}`)).status).toBe(200);
}

describe.skipIf(isSanitized)('the memory of plugins that are removed', () => {
  it.each([
    ['in workers without other code', false],
    ['beside another plugin', true],
  ])('goes back to the system: %s', async (_, isBesideAnother) => {
    if (isBesideAnother) await server.admin.deploy('echo');
    await deployAndRemove('echo');
    const before = server.residentBytes;
    await deployAndRemove('holding');
    await expect
      .poll(() => (server.residentBytes - before) / megabyte, { timeout: 20_000 })
      .toBeLessThan(40);
  });
});
