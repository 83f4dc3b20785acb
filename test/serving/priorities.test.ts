import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from '../support/gate.js';
import type { Answer } from '../support/httpClient.js';
import { pluginFolder } from '../support/pluginFolder.js';
import { ServerProcess } from '../support/serverProcess.js';
import { SocketClient } from '../support/socketClient.js';

/** A request by what the gate knows it by. */
interface Request {
  name: string;
  headers?: Record<string, string>;
  /** Of its body, in this order; `data` and the deployment's id come where they are named, or last. */
  body?: Record<string, unknown>;
}

let server: ServerProcess;
let socket: SocketClient;
let gate: Gate;

beforeAll(async () => {
  const plugins = await pluginFolder(['gated', 'echo']);
  server = await ServerProcess.start({ plugins: [plugins], workers: 1 });
  socket = await SocketClient.open(server);
});

beforeEach(async () => {
  gate = await Gate.start();
});

/** A deployment that runs one request at a time, when the gate is open, and runs one already. */
async function deployBusy(serving: Record<string, number> = {}) {
  const config = { gate: gate.url, serving: { maxBatchSize: 1, ...serving } };
  const gated = await server.admin.deploy('gated', config);
  const running = server.admin.predicted(gated, 'running');
  await gate.arrived(1);
  return { gated, running };
}

function send(deploymentId: string, { name, headers, body }: Request): Promise<Answer> {
  const json = { ...body, deploymentId, data: name };
  return server.admin.send('POST', '/predict', { json, headers });
}

/**
 * The names of those that ran, in order. One request more than have a place is refused as soon as the
 * others wait: that tells when all are there.
 */
async function order(requests: readonly Request[]): Promise<string[]> {
  const { gated, running } = await deployBusy({ maxQueueSize: requests.length - 1 });
  let refused = 0;
  const answers = requests.map(async (request) => {
    const { status } = await send(gated, request);
    if (status === 503) refused++;
  });
  await expect.poll(() => refused).toBe(1);
  gate.openWide();
  await Promise.all([running, ...answers]);
  return gate.arrivals.slice(1);
}

/** `count` requests of each kind, the last kind first. Only one of all will be refused. */
const mixed = (kinds: readonly Omit<Request, 'name'>[], count = 3): Request[] =>
  Array.from({ length: count * kinds.length }, (_, i) => {
    const kind = kinds.length - 1 - (i % kinds.length);
    return { ...kinds[kind], name: `${kind}` };
  });

async function expectKindsInOrder(kinds: readonly Omit<Request, 'name'>[]) {
  const ran = await order(mixed(kinds));
  expect(ran).toEqual([...ran].sort());
  expect(new Set(ran).size).toBe(kinds.length);
  expect(ran).toHaveLength(3 * kinds.length - 1);
}

const level = (priority: number) => ({ headers: { 'x-priority': String(priority) } });

describe('requests that wait', () => {
  it('run by priority: from 1 to 9, and at 5 those that name none', async () => {
    await expectKindsInOrder([level(1), level(4), {}, level(6), level(9)]);
  });

  it('run by deadline where they are of one priority', async () => {
    const within = (ms: number) => ({ headers: { 'x-timeout-ms': String(ms) } });
    await expectKindsInOrder([within(10_000), within(15_000), within(20_000), {}]);
  });

  it('run by priority before they do by deadline', async () => {
    const urgent = { headers: { 'x-priority': '5', 'x-timeout-ms': '10000' } };
    await expectKindsInOrder([level(1), urgent, level(5)]);
  });

  it('may say so in their body, at any place, where headers count first', async () => {
    const first = { body: { priority: 1, deploymentId: '', data: '' } };
    const between = { body: { deploymentId: '', priority: 2, data: '' } };
    const last = { body: { deploymentId: '', data: '', options: { a: [1] }, priority: 3 } };
    const both = { ...level(4), body: { priority: 1 } };
    const inOptions = { body: { options: { priority: 1, timeoutMs: 1 } } };
    const late = { body: { priority: 6, timeoutMs: 15_000 } };
    const later = { headers: { 'x-timeout-ms': '20000' }, body: { timeoutMs: 10, priority: 6 } };
    await expectKindsInOrder([first, between, last, both, inOptions, late, later]);
  });

  it('may come as frames of a WebSocket', async () => {
    const { gated, running } = await deployBusy();
    const frames = [
      { id: '6', priority: 9 },
      { id: '5', priority: 9, timeoutMs: 10_000 },
      { id: '4' },
      { id: '3', timeoutMs: 20_000 },
      { id: '2', timeoutMs: 10_000 },
      { id: '1', priority: 1 },
    ];
    for (const frame of frames) socket.send({ ...frame, deploymentId: gated, data: frame.id });
    await socket.heard();
    gate.openWide();
    await Promise.all([running, ...frames.map(({ id }) => socket.next(id))]);
    expect(gate.arrivals.slice(1)).toEqual(['1', '2', '3', '4', '5', '6']);
  });
});

describe('a priority or a timeout that is none', () => {
  const bad = {
    priority: [0, 10, -1, 1.5, '"1"', 'null', 'true', '[1]', '99999999999'],
    timeoutMs: [0, -1, 1.5, '"100"', 'null', 'false', '{}', 2 ** 31, '99999999999'],
  };
  let echo: string;

  beforeAll(async () => {
    echo = await server.admin.deploy('echo');
  });

  it('is refused where a header has it', async () => {
    const values = {
      'x-priority': ['0', '10', '-1', '1.5', 'high', '1 2'],
      'x-timeout-ms': ['0', '-1', '1.5', 'soon', String(2 ** 31)],
    };
    for (const [header, texts] of Object.entries(values)) {
      for (const text of texts) {
        const answer = await send(echo, { name: 'a', headers: { [header]: text } });
        expect([text, answer.status, answer.json]).toMatchObject([
          text,
          422,
          { code: 'invalid_input', path: header },
        ]);
      }
    }
  });

  it('is refused where a body has it, at any place', async () => {
    for (const [path, values] of Object.entries(bad)) {
      for (const value of values) {
        const member = `"${path}":${value}`;
        const bodies = [
          `{${member},"deploymentId":"${echo}","data":1}`,
          `{"deploymentId":"${echo}",${member},"data":1}`,
          `{"deploymentId":"${echo}","data":1,${member}}`,
        ];
        for (const body of bodies) {
          const answer = await server.admin.send('POST', '/predict', { body });
          expect([body, answer.status, answer.json]).toMatchObject([
            body,
            422,
            { code: 'invalid_input', path },
          ]);
        }
      }
    }
  });

  it('is refused where a frame has it', async () => {
    for (const [path, values] of Object.entries(bad)) {
      for (const [i, value] of values.entries()) {
        const id = `${path} ${i}`;
        socket.send(`{"id":"${id}","deploymentId":"${echo}","data":1,"${path}":${value}}`);
        const { error } = await socket.next(id);
        expect([value, error]).toMatchObject([value, { code: 'invalid_input', path }]);
      }
    }
  });
});
