import { availableParallelism } from 'node:os';
import path from 'node:path';
import { buildCLoop, timeThroughput } from '../engine/cLoops.mjs';
import { writeTensorFile } from '../models/tensorFile.mjs';
import { cpusIn } from '../pinning.mjs';
import { startCloudeasyml } from './cloudeasyml.mjs';

/**
 * What load is put on.
 *
 * @typedef {object} Subject
 * @property {string} name
 * @property {string} title
 * @property {'own' | 'peer' | 'ceiling'} kind
 * @property {LoadRequest} [request] of one row; none for what is no server
 * @property {(connections: number, seconds: number) => Promise<LoadRun>} load
 * @property {(run: (request: LoadRequest) => Promise<OpenRound>) => Promise<OpenRound>} openLoad
 * @property {() => Promise<void>} settle throws where its accounts don't hold every request answered
 * @property {() => Promise<void>} stop
 *
 * @typedef {import('./loadGenerator.mjs').LoadRequest} LoadRequest
 * @typedef {import('./loadGenerator.mjs').LoadRun} LoadRun
 * @typedef {import('./loadGenerator.mjs').LoadGenerator} LoadGenerator
 * @typedef {import('./openLoop.mjs').OpenRound} OpenRound
 * @typedef {import('./workloads.mjs').Workload} Workload
 * @typedef {import('../peers/index.mjs').Peer} Peer
 *
 * @typedef {object} SubjectOptions
 * @property {Workload} workload
 * @property {readonly Peer[]} peers
 * @property {LoadGenerator} generator
 * @property {import('../pinning.mjs').Pinning | null} pinning
 * @property {string} folder
 */

const accountingTimeoutMs = 5000;
const drainTimeoutMs = 60_000;
const requestSeed = 11;

/**
 * Starts this package's server and every peer that can serve the workload, and has each prove that its
 * answers are right.
 *
 * @param {SubjectOptions} options
 * @returns {Promise<{ subjects: Subject[], skipped: import('../peers/index.mjs').SkippedPeer[] }>} this
 *   package's first; peers that didn't start or gave wrong answers are skipped
 */
export async function startSubjects(options) {
  const { workload, peers } = options;
  const { subject: own, requestTo } = await startOwn(options);
  const subjects = [own];
  const skipped = [];
  for (const peer of peers) {
    if (!(peer.echoes ? workload.ceiling === 'echo' : workload.modelFile)) continue;
    try {
      subjects.push(await startPeer(peer, options, requestTo));
    } catch (error) {
      const reason = `${workload.name}: ${/** @type {Error} */ (error).message}`;
      skipped.push({ name: peer.name, title: peer.title, reason });
    }
  }
  if (workload.ceiling === 'cLoop') subjects.push(await cLoop(options));
  return { subjects, skipped };
}

/** @param {SubjectOptions} options */
async function startOwn({ workload, generator, pinning, folder }) {
  const server = await startCloudeasyml({ workload, folder, cpus: pinning?.server });
  const { deploymentId, apiKey } = server;
  const title = 'CloudEasyML';
  /** Every request is the same to the byte but for its host. @type {(url: string, data: unknown) => LoadRequest} */
  const requestTo = (url, data) => ({
    url: `${url}/predict`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ deploymentId, data }),
  });
  const request = requestTo(server.url, workload.data(1, requestSeed));
  await proveKeysMatter(request);
  await proveAnswers(workload, title, async (data) => {
    const { predictions } = await post(requestTo(server.url, data));
    return predictions;
  });
  let sent = 0;
  const subject = {
    ...serverSubject({ name: 'cloudeasyml', title, kind: 'own' }, request, generator),
    settle: () => expectAccounted(server.accounted, sent),
    stop: server.stop,
  };
  return {
    requestTo,
    subject: /** @type {Subject} */ ({
      ...subject,
      load: async (connections, seconds) => {
        const run = await subject.load(connections, seconds);
        sent += run.requests;
        return run;
      },
      openLoad: async (run) => {
        const round = await subject.openLoad(run);
        sent += round.answered;
        return round;
      },
    }),
  };
}

/**
 * @param {Peer} peer
 * @param {SubjectOptions} options
 * @param {(url: string, data: unknown) => LoadRequest} requestTo
 * @returns {Promise<Subject>}
 * @throws Error where it doesn't start, or its answers are not the workload's
 */
async function startPeer(peer, { workload, generator, pinning, folder }, requestTo) {
  const { name, title, echoes } = peer;
  const server = await peer.start({
    modelFile: workload.modelFile ?? '',
    inputWidth: workload.inputWidth ?? 0,
    folder: path.join(folder, name),
    cpus: pinning?.server,
  });
  const toPeer = (/** @type {any[]} */ data) => {
    const request = requestTo(server.url, data);
    return peer.adapt ? { ...request, ...peer.adapt.request(server.url, data) } : request;
  };
  try {
    if (echoes) {
      const sent = toPeer(workload.data(1, 1));
      const answer = await post(sent);
      if (JSON.stringify(answer) !== sent.body) throw new Error('It did not echo the body.');
    } else {
      await proveAnswers(workload, title, async (data) => {
        const answer = await post(toPeer(data));
        return peer.adapt ? peer.adapt.predictions(answer) : answer.predictions;
      });
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  const request = toPeer(/** @type {any[]} */ (workload.data(1, requestSeed)));
  return {
    ...serverSubject({ name, title, kind: echoes ? 'ceiling' : 'peer' }, request, generator),
    settle: async () => {},
    stop: server.stop,
  };
}

/** @type {(named: Pick<Subject, 'name' | 'title' | 'kind'>, request: LoadRequest,
 *   generator: LoadGenerator) => Omit<Subject, 'settle' | 'stop'>} */
function serverSubject(named, request, generator) {
  // Requests that were cut off when a load ended may keep a server busy: the next to be measured waits
  // until one more has been answered.
  /** @template {{ failures: number }} Run @param {Run} run @returns {Promise<Run>} */
  const drained = async (run) => {
    const { url, headers, body } = request;
    const signal = AbortSignal.timeout(drainTimeoutMs);
    try {
      await (await fetch(url, { method: 'POST', headers, body, signal })).arrayBuffer();
      return run;
    } catch {
      return { ...run, failures: run.failures + 1 };
    }
  };
  return {
    ...named,
    request,
    load: async (connections, seconds) =>
      drained(await generator.run(request, connections, seconds)),
    openLoad: async (run) => drained(await run(request)),
  };
}

/**
 * A bare loop over the model with as many threads as there are connections, but no more than the servers
 * have cores.
 *
 * @param {SubjectOptions} options
 * @returns {Promise<Subject>}
 */
async function cLoop({ workload, pinning, folder }) {
  const program = await buildCLoop('throughput', folder);
  const cores = pinning ? cpusIn(pinning.server).length : availableParallelism();
  const rows = /** @type {number[][]} */ (workload.data(1, requestSeed));
  const input = path.join(folder, 'cLoop.input');
  writeTensorFile(input, Float32Array.from(rows.flat()));
  return {
    name: 'cLoop',
    title: `C loop, up to ${cores} thread${cores === 1 ? '' : 's'}`,
    kind: 'ceiling',
    load: async (connections, seconds) => {
      const threads = Math.min(connections, cores);
      const { runs, ...times } = await timeThroughput(program, {
        model: workload.modelFile ?? '',
        dims: [1, workload.inputWidth ?? 0],
        input,
        threads,
        intraOpThreads: Math.max(1, Math.floor(cores / threads)),
        seconds,
        output: path.join(folder, 'cLoop.output'),
        cpus: pinning?.server,
      });
      return { ...times, requests: runs, failures: 0 };
    },
    openLoad: () => Promise.reject(new Error('A C loop has no requests.')),
    settle: async () => {},
    stop: async () => {},
  };
}

/**
 * @param {LoadRequest} request
 * @returns {Promise<any>}
 */
async function post({ url, headers, body }) {
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** @type {(workload: Workload, who: string, predict: (data: any[]) => Promise<any>) => Promise<void>} */
async function proveAnswers(workload, who, predict) {
  for (const rows of workload.proofRows) {
    const data = /** @type {any[]} */ (workload.data(rows, 100 + rows));
    await workload.check(data, await predict(data), who);
  }
}

/** @param {LoadRequest} request */
async function proveKeysMatter({ url, headers: { authorization: _, ...headers }, body }) {
  const { status } = await fetch(url, { method: 'POST', headers, body });
  if (status !== 401) throw new Error(`A request without a key was answered ${status}, not 401.`);
}

/**
 * Requests that were cut off when a load ended may be on the account too, so it is a lower bound.
 *
 * @param {() => Promise<number>} accounted
 * @param {number} sent
 */
async function expectAccounted(accounted, sent) {
  const deadline = Date.now() + accountingTimeoutMs;
  let counted = await accounted();
  while (counted < sent && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    counted = await accounted();
  }
  if (counted < sent) {
    throw new Error(
      `The server accounted for ${counted} requests of the ${sent} that it answered.`,
    );
  }
}
