import { expect, it } from 'vitest';
import { handshake } from '../support/handshake.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { isSanitized, ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

const mebibyte = 1024 * 1024;
/** More than a server with the setting below keeps for a client that reads nothing, many times over. */
const floodBytes = 400 * mebibyte;

/** A masked frame; the mask is zeros. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

const text = 1;
const ping = 9;
const floods: [name: string, frame: Buffer][] = [
  ['pings', clientFrame(ping, Buffer.alloc(125, 'x'))],
  ['frames that are answered with errors', clientFrame(text, Buffer.from('nonsense'))],
];

it.each(floods)('a client that sends %s and reads nothing is cut off', async (_, frame) => {
  const server = await ServerProcess.start({
    plugins: [await pluginFolder(['echo'])],
    workers: 1,
    env: { CLOUDEASYML_MAX_BUFFERED_BYTES: String(64 * 1024) },
  });
  const echo = await server.admin.deploy('echo');
  const other = await SocketClient.open(server);
  const { socket } = await handshake(server.url, { authorization: `Bearer ${server.adminKey}` });
  const before = server.residentBytes;
  socket!.pause();
  const closed = new Promise<void>((resolve) => socket!.once('close', () => resolve()));
  const chunk = Buffer.concat(Array.from({ length: 1000 }, () => frame));
  let sent = 0;
  let isOpen = true;
  void closed.then(() => {
    isOpen = false;
  });
  while (isOpen && sent < floodBytes) {
    sent += chunk.length;
    if (socket!.write(chunk)) await new Promise(setImmediate);
    else await Promise.race([new Promise((resolve) => socket!.once('drain', resolve)), closed]);
    await other.predicted(echo, 'goes on');
  }
  if (!isSanitized) expect(server.residentBytes - before).toBeLessThan(64 * mebibyte);
  // It may have been closed already, which a client that does not read can't tell.
  socket!.resume();
  await closed;
  expect((await other.predicted(echo, 1)).predictions).toBe(1);
  await server.kill();
});
