import { beforeAll, describe, expect, it } from 'vitest';
import { handshake } from '../support/handshake.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { isSanitized, ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

/** What a narrow socket takes in one frame. */
const most = 256 * 1024;

let server: ServerProcess;
let echo: string;
let key: string;
beforeAll(async () => {
  const plugins = await pluginFolder(['echo']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  const user = await server.user('ada');
  echo = await user.deploy('echo');
  key = user.key!;
});

const anonymous = () => SocketClient.open(server, undefined, { anonymous: true });
const frameOf = (bytes: number) => {
  const frame = { id: 1, deploymentId: echo, data: '' };
  return { ...frame, data: 'x'.repeat(bytes - JSON.stringify(frame).length) };
};

const text = 1;
const continuation = 0;
const zeros = (length: number) => Buffer.alloc(length);

/** The beginning of a masked frame that is not the last of its message; the mask is zeros. */
function frameStart(opcode: number, length: number): Buffer {
  const start = Buffer.alloc(14);
  start[0] = opcode;
  start[1] = 0x80 | 127;
  start.writeBigUInt64BE(BigInt(length), 2);
  return start;
}

describe('a WebSocket whose handshake has no key', () => {
  it('takes frames of up to 256 KiB, before and after its key', async () => {
    const stranger = await anonymous();
    stranger.socket.send('x'.repeat(most));
    expect((await stranger.next(null)).error?.code).toBe('key_missing');

    const client = await anonymous();
    client.send({ auth: key });
    client.send(frameOf(most));
    expect(await client.next(1)).toMatchObject({ done: true });
    await client.close();
  });

  it('is reset by a larger one', async () => {
    const stranger = await anonymous();
    stranger.socket.send('x'.repeat(most + 1));
    expect((await stranger.closed).code).toBe(1006);
    const client = await anonymous();
    client.send({ auth: key });
    expect((await client.predicted(echo, 'small')).predictions).toBe('small');
    client.send(frameOf(most + 1));
    expect((await client.closed).code).toBe(1006);
  });

  it('waits for its key with 63 others at most, and keeps nobody out who has one', async () => {
    const strangers = await Promise.all(Array.from({ length: 64 }, anonymous));
    expect(await handshake(server.url)).toMatchObject({
      status: 503,
      json: { code: 'overloaded' },
      headers: { 'retry-after': '1' },
    });
    const known = await SocketClient.open(server, key);
    expect((await known.predicted(echo, 1)).predictions).toBe(1);
    // One that has said its key makes room for another.
    strangers[0]!.send({ auth: key });
    await strangers[0]!.predicted(echo, 1);
    const next = await anonymous();
    await Promise.all([...strangers, next, known].map((client) => client.close()));
    await (await anonymous()).close();
  });

  it.each([
    ['that are not whole', false],
    ['in fragments that go on for ever', true],
  ])('has the server hold little, even where 64 send frames %s', async (_, inFragments) => {
    const before = server.residentBytes;
    const strangers = await Promise.all(
      Array.from({ length: 64 }, async () => (await handshake(server.url)).socket!),
    );
    for (const stranger of strangers) {
      if (!inFragments) stranger.write(Buffer.concat([frameStart(text, most), zeros(most - 1)]));
      else {
        stranger.write(Buffer.concat([frameStart(text, most - 1), zeros(most - 1)]));
        for (let each = 0; each < 20; each++) {
          stranger.write(Buffer.concat([frameStart(continuation, most - 1), zeros(most - 1)]));
        }
      }
    }
    const sent = strangers.map(
      (stranger) => new Promise<void>((resolve) => stranger.write('', () => resolve())),
    );
    await Promise.all(sent);
    expect(await (await SocketClient.open(server, key)).predicted(echo, 1)).toMatchObject({
      predictions: 1,
    });
    if (!isSanitized) expect(server.residentBytes - before).toBeLessThan(200 * most);
    for (const stranger of strangers) stranger.destroy();
  });

  it('is closed where its key does not come', async () => {
    const stranger = await anonymous();
    expect((await stranger.next(null)).error?.code).toBe('key_missing');
    expect(await stranger.closed).toEqual({ code: 1008, reason: 'key_missing' });
  });
});

describe('a WebSocket whose handshake has a key', () => {
  it('takes frames of up to bodyLimit', async () => {
    const client = await SocketClient.open(server, key);
    client.send(frameOf(8 * most));
    expect(await client.next(1)).toMatchObject({ done: true });
    await client.close();
  });

  it('may have it as a subprotocol, which is not repeated', async () => {
    const protocols = ['cloudeasyml', `key.${key}`];
    for (const offered of [protocols, protocols.toReversed()]) {
      const client = await SocketClient.open(server, undefined, {
        anonymous: true,
        protocols: offered,
      });
      expect(client.socket.protocol).toBe('cloudeasyml');
      client.send(frameOf(2 * most));
      expect(await client.next(1)).toMatchObject({ done: true });
      await client.close();
    }
    for (const offered of [`key.${key}`, `key.${key}, mine`, `mine,key.${key}`]) {
      const { status, headers, socket } = await handshake(server.url, {
        'sec-websocket-protocol': offered,
      });
      socket!.destroy();
      expect(status).toBe(101);
      expect(JSON.stringify(headers)).not.toContain(key);
      expect(headers['sec-websocket-protocol']).toBe(offered.includes('mine') ? 'mine' : undefined);
    }
  });

  it('is refused where that is wrong, without a word of it', async () => {
    const wrong = `${key.slice(0, -1)}~`;
    const refused = await handshake(server.url, {
      'sec-websocket-protocol': `cloudeasyml, key.${wrong}`,
    });
    expect(refused).toMatchObject({ status: 401, json: { code: 'key_invalid' } });
    expect(JSON.stringify(refused)).not.toContain(wrong);
    expect(server.output).not.toContain(wrong);
  });
});
