import { beforeAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../support/pluginFolder.js';
import { repeating } from '../support/servedModels.js';
import { ServerProcess } from '../support/serverProcess.js';

let server: ServerProcess;
let repeat: string;

beforeAll(async () => {
  const plugins = await pluginFolder([], { repeating: { model: repeating() } });
  const env = {
    CLOUDEASYML_ANSWER_LIMIT: String(2 ** 31 - 1),
    CLOUDEASYML_MAX_HELD_BYTES: String(2 ** 33),
  };
  server = await ServerProcess.start({ plugins: [plugins], workers: 1, env });
  repeat = await server.admin.deploy('repeating');
});

describe('a deadline', () => {
  it('holds while a large answer is written', async () => {
    // The run takes a small part of what its answer takes to be written.
    const json = { deploymentId: repeat, data: 12_000_000, timeoutMs: 250 };
    const { status, json: answer } = await server.admin.send('POST', '/predict', { json });
    expect([status, answer]).toMatchObject([504, { code: 'deadline_exceeded' }]);
    expect((await server.admin.predicted(repeat, 2)).predictions).toEqual([0.1234567, 0.1234567]);
  });
});
