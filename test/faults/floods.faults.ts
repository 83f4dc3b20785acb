import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpClient } from '../support/httpClient.js';
import { softmaxClassifier } from '../support/onnxModels.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { isSanitized, ServerProcess } from '../support/serverProcess.js';

const flooder = fileURLToPath(new URL('../../scripts/floods/flooder.mjs', import.meta.url));
const mebibyte = 1024 * 1024;
/** What a flood may add to the server's memory. */
const mostBytes = 128 * mebibyte;
const maxHeldBytes = 128 * mebibyte;
const predictions = 40;

let server: ServerProcess;
let user: HttpClient;
let classifier: string;
let flooding: ChildProcess | undefined;

beforeEach(async () => {
  const plugins = await pluginFolder([], { classifier: { model: softmaxClassifier() } });
  server = await ServerProcess.start({
    plugins: [plugins],
    env: {
      CLOUDEASYML_BODY_LIMIT: String(mebibyte),
      CLOUDEASYML_MAX_HELD_BYTES: String(maxHeldBytes),
      CLOUDEASYML_LOG_LEVEL: 'silent',
    },
  });
  user = await server.user('ada', { permissions: ['predict', 'deploy'] });
  classifier = await user.deploy('classifier');
});

afterEach(async () => {
  flooding?.kill('SIGKILL');
  await server.kill();
});

async function flood(name: string): Promise<void> {
  const attacker = await server.user('mallory', { permissions: ['predict', 'deploy', 'usage'] });
  const deploymentId = await attacker.deploy('classifier');
  flooding = fork(flooder, [name, server.url, attacker.key!, deploymentId]);
}

describe.each([
  'keylessSockets',
  'partialFrames',
  'unreadErrors',
  'unreadPongs',
  'managementBodies',
  'wrongKeys',
  'unreadAnswers',
])('a flood of %s', (name) => {
  it('leaves memory bounded, and another user’s predictions right', async () => {
    const expected = await user.predicted(classifier, [[1, 2, 3, 4]]);
    const before = server.residentBytes;
    await flood(name);
    for (let i = 0; i < predictions; i++) {
      const answer = await user.predicted(classifier, [[1, 2, 3, 4]]);
      expect(answer.predictions).toEqual(expected.predictions);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (!isSanitized) expect(server.residentBytes - before).toBeLessThan(mostBytes);
  });
});
