import { statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../plugin/temporaryFolder.js';
import { Gate } from '../support/gate.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { type CommandEnd, ServerCommand } from '../support/serverCommand.js';
import { ServerProcess } from '../support/serverProcess.js';

const inOrder: CommandEnd = { code: 0, signal: null };

async function serve(data: string, plugins: string): Promise<ServerCommand> {
  const server = ServerCommand.serve({
    CLOUDEASYML_DATA: data,
    CLOUDEASYML_PLUGINS: plugins,
    CLOUDEASYML_WORKERS: '1',
  });
  await expect.poll(() => server.heedsSignals, { interval: 5, timeout: 20_000 }).toBe(true);
  return server;
}

describe('a server that is told to stop', () => {
  it('stops in order at any moment of its start', async () => {
    const plugins = await pluginFolder(['echo']);
    const data = await temporaryFolder();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      for (const afterMs of [0, 300, 900]) {
        const server = await serve(data, plugins);
        await delay(afterMs);
        server.send(signal);
        expect(await server.ended, `${signal} after ${afterMs} ms\n${server.output}`).toEqual(
          inOrder,
        );
        const log = statSync(path.join(data, 'cloudeasyml.db-wal'), { throwIfNoEntry: false });
        expect(log?.size ?? 0).toBe(0);
      }
    }
  });

  it('does not wait for stored deployments that are still loading', async () => {
    const plugins = await pluginFolder(['gated']);
    const gate = await Gate.start({ isOpen: true });
    const first = await ServerProcess.start({ plugins: [plugins], workers: 1 });
    await first.admin.deploy('gated', { gate: gate.url, loadLater: true });
    expect(await first.stop()).toBe(0);

    gate.shut();
    const loads = gate.arrivals.length;
    const server = await serve(first.data, plugins);
    await gate.arrived(loads + 1);
    server.send('SIGTERM');
    expect(await server.ended, server.output).toEqual(inOrder);
  });

  it('ends at once when it is told again', async () => {
    const plugins = await pluginFolder(['gated']);
    const gate = await Gate.start();
    const server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
    const gated = await server.admin.deploy('gated', { gate: gate.url });
    const waiting = server.admin.predict(gated, 'held for good').catch(() => 'cut off');
    await gate.arrived(1);
    void server.stop('SIGTERM');
    // Under npm, Ctrl-C reaches a server twice.
    void server.stop('SIGTERM');
    const again = setInterval(() => void server.stop('SIGTERM'), 100);
    expect(await server.exited).toBe(null);
    clearInterval(again);
    expect(await waiting).toBe('cut off');
    expect(server.output).not.toContain('cut off');
  });
});
