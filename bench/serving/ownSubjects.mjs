import path from 'node:path';
import { accountOf } from './accounts.mjs';
import { startCloudeasyml } from './cloudeasyml.mjs';
import { drained, httpSubject, post, proveAnswers, requestSeed } from './httpSubject.mjs';
import { askSocket } from './socket/askSocket.mjs';
import { jsonPayload, tensorPayload } from './socket/payloads.mjs';
import { connectionsFor, runSocketLoad } from './socket/runSocketLoad.mjs';

/**
 * @typedef {import('./subjects.mjs').Subject} Subject
 * @typedef {import('./subjects.mjs').SubjectOptions} SubjectOptions
 * @typedef {import('./peerSubject.mjs').RequestTo} RequestTo
 * @typedef {Awaited<ReturnType<typeof startCloudeasyml>>} OwnServer
 */

const title = 'CloudEasyML';

/** Frames in which a WebSocket carries the workload. */
const sockets = {
  json: {
    name: 'cloudeasymlSocket',
    title: `${title}, WebSocket`,
    payload: (/** @type {string} */ deploymentId, /** @type {any[]} */ data) =>
      jsonPayload({ deploymentId, data }),
  },
  tensors: {
    name: 'cloudeasymlTensors',
    title: `${title}, WebSocket, tensors`,
    payload: tensorPayload,
  },
};

/**
 * Starts this package's server for a workload.
 *
 * @param {SubjectOptions} options
 * @returns {Promise<{ subjects: Subject[], requestTo: RequestTo }>} the server as clients see it, over HTTP
 *   first, and what makes a request to any server the same to the byte but for its host
 */
export async function startOwn(options) {
  const { workload, pinning, folder, generator } = options;
  const server = await startCloudeasyml({ workload, folder, cpus: pinning?.server });
  /** @type {RequestTo} */
  const requestTo = (url, data) => requestWith(server, url, data);
  const request = requestTo(server.url, workload.data(1, requestSeed));
  await proveKeysMatter(request);
  await proveAnswers(workload, title, async (data) => {
    const { predictions } = await post(requestTo(server.url, data));
    return predictions;
  });
  const account = accountOf(server);
  const timed = timedServer(options);
  const http = httpSubject({ name: 'cloudeasyml', title, kind: 'own' }, request, generator);
  /** @type {Subject} */
  const overHttp = {
    ...http,
    load: async (connections, seconds) => {
      const run = await http.load(connections, seconds);
      account.add(run.requests);
      return run;
    },
    openLoad: timed.openLoad,
    settle: async () => {
      await account.settle();
      await timed.settle();
    },
    stop: async () => {
      await server.stop();
      await timed.stop();
    },
  };
  const overSockets = [];
  for (const frames of workload.sockets) {
    overSockets.push(await socketSubject(server, sockets[frames], options, account));
  }
  return { subjects: [overHttp, ...overSockets], requestTo };
}

/**
 * The server over WebSockets.
 *
 * @param {OwnServer} server
 * @param {typeof sockets[keyof typeof sockets]} frames
 * @param {SubjectOptions} options
 * @param {ReturnType<typeof accountOf>} account
 * @returns {Promise<Subject>}
 */
async function socketSubject(server, frames, { workload, pinning, folder }, account) {
  const { url, apiKey, deploymentId } = server;
  /** @type {(data: any[]) => import('./socket/runSocketLoad.mjs').SocketTarget} */
  const target = (data) => ({ url, apiKey, payload: frames.payload(deploymentId, data) });
  await proveAnswers(workload, frames.title, async (data) => {
    const { predictions } = await askSocket(target(data));
    return predictions;
  });
  const timedTarget = target(workload.data(1, requestSeed));
  return {
    name: frames.name,
    title: frames.title,
    kind: 'own',
    sockets: connectionsFor,
    load: async (connections, seconds) => {
      const load = { inFlight: connections, seconds };
      const run = await runSocketLoad(timedTarget, load, { folder, cpus: pinning?.generator });
      account.add(run.answered);
      return { ...run, ...run.latency };
    },
    settle: async () => {},
    stop: async () => {},
  };
}

/**
 * A second server, which says in its answers where their time went. The closed loops' does without: it is
 * measured as it comes. It is started when it is first asked.
 *
 * @param {SubjectOptions} options
 * @returns {Required<Pick<Subject, 'openLoad' | 'settle' | 'stop'>>}
 */
function timedServer({ workload, openPinning, folder }) {
  const start = async () => {
    const server = await startCloudeasyml({
      workload,
      folder: path.join(folder, 'timed'),
      cpus: openPinning?.server,
      env: { CLOUDEASYML_SERVER_TIMING: 'true' },
    });
    const request = requestWith(server, server.url, workload.data(1, requestSeed));
    return { request, stop: server.stop, account: accountOf(server) };
  };
  /** @type {Awaited<ReturnType<typeof start>> | undefined} */
  let started;
  return {
    openLoad: async (run) => {
      started ??= await start();
      const { request, account } = started;
      const round = await drained(request, await run(request));
      account.add(round.answered);
      return round;
    },
    settle: async () => started?.account.settle(),
    stop: async () => started?.stop(),
  };
}

/** @type {(server: OwnServer, url: string, data: unknown) => import('./loadGenerator.mjs').LoadRequest} */
const requestWith = ({ deploymentId, apiKey }, url, data) => ({
  url: `${url}/predict`,
  headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
  body: JSON.stringify({ deploymentId, data }),
});

/** @param {import('./loadGenerator.mjs').LoadRequest} request */
async function proveKeysMatter({ url, headers: { authorization: _, ...headers }, body }) {
  const { status } = await fetch(url, { method: 'POST', headers, body });
  if (status !== 401) throw new Error(`A request without a key was answered ${status}, not 401.`);
}
