import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerCommand } from '../support/serverCommand.js';
import { ServerProcess } from '../support/serverProcess.js';

describe('a data folder', () => {
  it('belongs to one server, until its process has ended', async () => {
    const plugins = await pluginFolder(['echo']);
    const first = await ServerProcess.start({ plugins: [plugins], workers: 1 });
    const user = await first.user('ada');
    const second = ServerCommand.serve({
      CLOUDEASYML_DATA: first.data,
      CLOUDEASYML_PLUGINS: plugins,
    });
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.output).toContain(
      `\nAnother server runs on the data folder ${first.data}. Stop it, or give this one a folder of its own with --data or CLOUDEASYML_DATA.\n`,
    );
    expect(second.output).not.toMatch(/^ +at /m);
    expect((await user.send('GET', '/models')).status).toBe(200);

    await first.kill();
    const third = await ServerProcess.start({ plugins: [plugins], workers: 1, data: first.data });
    expect((await third.admin.as(user.key).send('GET', '/models')).status).toBe(200);
    expect(await third.stop()).toBe(0);
    expect(statSync(path.join(first.data, 'cloudeasyml.db-wal')).size).toBe(0);
  });

  it('with a damaged database is refused without a stack', async () => {
    const plugins = await pluginFolder(['echo']);
    const data = await temporaryFolder();
    const first = await ServerProcess.start({ plugins: [plugins], workers: 1, data });
    expect(await first.stop()).toBe(0);
    const file = path.join(data, 'cloudeasyml.db');
    const bytes = readFileSync(file);
    bytes.fill(0xff, bytes.readUInt16BE(16));
    writeFileSync(file, bytes);
    const second = ServerCommand.serve({ CLOUDEASYML_DATA: data, CLOUDEASYML_PLUGINS: plugins });
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.output).toMatch(
      /^The database \S+cloudeasyml\.db is damaged: .*Restore it.*move it away/m,
    );
    expect(second.output).not.toMatch(/^ +at /m);
  });
});
