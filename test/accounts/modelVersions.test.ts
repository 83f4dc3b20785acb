import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { ServerProcess } from '../support/serverProcess.js';

const plugin = (version: string) => ({
  'versioned/index.ts': `
    import { BaseModel } from 'cloudeasyml';
    export default class Versioned extends BaseModel {
      getMetadata() { return { name: 'versioned', version: '${version}' }; }
      async load() { this.isLoaded = true; }
      async predict() { return { predictions: '${version}' }; }
      train() { return {}; }
    }`,
});

interface Deployed {
  deployment: { deploymentId: string; modelVersion: string; status: string; error?: string };
}

describe('a stored deployment whose model has another version now', () => {
  it('comes up on that where its user asked for the latest, and fails where its user named one', async () => {
    const old = await temporaryFolder(plugin('1.0.0'));
    const first = await ServerProcess.start({ plugins: [old], workers: 1 });
    const deploy = async (request: object) => {
      const json = { modelName: 'versioned', ...request };
      return ((await first.admin.send('POST', '/deployments', { json })).json as Deployed)
        .deployment.deploymentId;
    };
    const latest = await deploy({});
    const pinned = await deploy({ modelVersion: '1.0.0' });
    expect(await first.stop()).toBe(0);

    const current = await temporaryFolder(plugin('2.0.0'));
    const { data } = first;
    const second = await ServerProcess.start({ plugins: [current], workers: 1, data });
    expect((await second.admin.predicted(latest, null)).predictions).toBe('2.0.0');
    const show = async (id: string, { admin }: ServerProcess) =>
      ((await admin.send('GET', `/deployments/${id}`)).json as Deployed).deployment;
    expect(await show(latest, second)).toMatchObject({ modelVersion: '2.0.0', status: 'active' });
    const failed = await show(pinned, second);
    expect(failed).toMatchObject({ modelVersion: '1.0.0', status: 'failed' });
    expect(failed.error).toContain('There is no version 1.0.0 of the model versioned');
    expect(second.output).toMatch(/"from":"1\.0\.0","to":"2\.0\.0"/);
    expect(await second.stop()).toBe(0);

    const third = await ServerProcess.start({ plugins: [old], workers: 1, data });
    for (const id of [latest, pinned]) {
      expect(await show(id, third)).toMatchObject({ modelVersion: '1.0.0', status: 'active' });
    }
    expect(await third.stop()).toBe(0);
  });
});
