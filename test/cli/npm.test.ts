import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { root, ServerCommand } from '../support/serverCommand.js';

async function start(command: string[], cwd: string): Promise<{ npm: ServerCommand; url: string }> {
  const npm = new ServerCommand(
    command,
    {
      CLOUDEASYML_DATA: await temporaryFolder(),
      CLOUDEASYML_PLUGINS: await pluginFolder(['echo']),
      CLOUDEASYML_WORKERS: '1',
    },
    cwd,
  );
  const url = () => /listens on (http:\S+)/.exec(npm.output)?.[1];
  await expect.poll(url, { timeout: 30_000 }).toBeDefined();
  return { npm, url: url()! };
}

const answers = (url: string) =>
  fetch(`${url}/health`).then(
    () => true,
    () => false,
  );

async function expectStop(npm: ServerCommand, url: string): Promise<void> {
  await npm.ended;
  await expect.poll(() => answers(url), { timeout: 20_000 }).toBe(false);
  await expect.poll(() => npm.output).toContain('the server has stopped');
}

describe('a signal to npm', () => {
  // Without its scripts, so that nothing is built meanwhile.
  const npmStart = ['npm', 'start', '--ignore-scripts'];

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'start stops the server: %s',
    async (signal) => {
      const { npm, url } = await start(npmStart, root);
      expect(await answers(url)).toBe(true);
      npm.send(signal);
      await expectStop(npm, url);
    },
  );

  it('exec, as npx is, stops the server', async () => {
    const project = await temporaryFolder({ 'package.json': '{"private": true}' });
    const bin = path.join(project, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    // An installed package's command is executable; a build's is not.
    const command = `#!/bin/sh\nexec node ${root}dist/cli/main.js "$@"\n`;
    writeFileSync(path.join(bin, 'cloudeasyml'), command, { mode: 0o755 });
    const { npm, url } = await start(['npx', '--no-install', 'cloudeasyml', 'serve'], project);
    npm.send('SIGTERM');
    await expectStop(npm, url);
  });
});
