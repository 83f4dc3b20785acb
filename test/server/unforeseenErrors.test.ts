import uWS, { type us_listen_socket } from 'uWebSockets.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KeyRing } from '../../dist/auth/keyRing.js';
import { CorsPolicy } from '../../dist/server/http/cors.js';
import { Pipeline } from '../../dist/server/http/pipeline.js';
import { route } from '../../dist/server/http/route.js';
import { Router } from '../../dist/server/http/router.js';
import { openStore } from '../../dist/store/database.js';
import { KeyStore } from '../../dist/store/keyStore.js';
import { createLogger } from '../../dist/telemetry/logger.js';
import { temporaryFolder } from '../support/temporaryFolder.js';

const log: string[] = [];
const logger = createLogger('info', { write: (line: string) => void log.push(line) });
const store = openStore(temporaryFolder(), logger);
const app = uWS.App();
const pipeline = new Pipeline({
  keys: new KeyRing(new KeyStore(store), logger),
  logger,
  cors: new CorsPolicy([]),
  limits: { bodyLimit: 1024, requestTimeoutMs: 1000, idleTimeout: 120 },
  serverTiming: false,
  readiness: () => 'ready',
});

let url: string;
let listening: us_listen_socket;

/** No route of the server's fails in a way that nobody foresaw, so here is one that does. */
function fail(): never {
  throw new Error('secret detail of a failure');
}

beforeAll(async () => {
  const router = new Router(app, pipeline);
  const described = { method: 'GET', summary: 'Fails', access: 'public', answer: {} } as const;
  router.add(route({ ...described, path: '/now', handle: fail }));
  router.add(route({ ...described, path: '/later', handle: async () => fail() }));
  router.finish();
  await new Promise<void>((resolve) => {
    app.listen('127.0.0.1', 0, (socket) => {
      listening = socket as us_listen_socket;
      resolve();
    });
  });
  url = `http://127.0.0.1:${uWS.us_socket_local_port(listening)}`;
});

afterAll(() => {
  app.close();
  pipeline.close();
  store.close();
});

it.each(['/now', '/later'])(
  'an unforeseen error on %s tells the client nothing and the log everything',
  async (path) => {
    const requestId = `my-request.${path.slice(1)}`;
    const answer = await fetch(url + path, { headers: { 'x-request-id': requestId } });
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: 'internal', requestId });
    expect(text).not.toContain('secret');
    const lines = log.map((line) => JSON.parse(line));
    expect(lines.find((line) => line.requestId === requestId && line.err)).toMatchObject({
      level: 'error',
      err: {
        message: 'secret detail of a failure',
        stack: expect.stringContaining('unforeseenErrors.test.ts'),
      },
    });
  },
);
