import { describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

describe('the admin key of the settings', () => {
  it('is nowhere in the environment that plugins see, and never in the log', async () => {
    const plugins = await pluginFolder(['environment']);
    const env = { CLOUDEASYML_LOG_LEVEL: 'trace', OF_THE_PLUGIN: 'seen' };
    const server = await ServerProcess.start({ plugins: [plugins], workers: 1, env });
    const deploymentId = await server.admin.deploy('environment');
    const { predictions } = await server.admin.predicted(deploymentId, null);
    const seen = predictions as Record<string, string>;
    for (const [where, text] of Object.entries(seen)) {
      expect(text, where).toContain('OF_THE_PLUGIN');
      expect(text, where).not.toContain(server.adminKey);
    }
    expect(Object.keys(seen).sort()).toEqual([
      'child',
      'constructor',
      'load',
      'predict',
      'process',
    ]);
    expect((await server.admin.send('GET', '/api-keys')).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(server.output).not.toContain(server.adminKey);
  });
});
