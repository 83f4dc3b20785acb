import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { choosePeers } from '../peers/index.mjs';
import { measureClosedLoop } from './closedLoop.mjs';
import { chooseLoadGenerator } from './loadGenerator.mjs';
import { openLoadResult, runOpenLoad } from './openLoop.mjs';
import { measurePauses } from './pauses.mjs';
import { benchStreams } from './streams/index.mjs';
import { startSubjects } from './subjects.mjs';
import { workloads } from './workloads.mjs';

/**
 * @typedef {import('./closedLoop.mjs').ServerResult} ServerResult
 * @typedef {import('./openLoop.mjs').OpenLoopResult} OpenLoopResult
 * @typedef {import('./openLoop.mjs').OpenRound} OpenRound
 * @typedef {import('./subjects.mjs').Subject} Subject
 * @typedef {Subject & Required<Pick<Subject, 'openLoad'>>} OpenSubject
 *
 * @typedef {object} ServingResult closed loop: each connection sends when its answer has come
 * @property {string} model
 * @property {string} title
 * @property {number} connections
 * @property {ServerResult[]} servers this package's first
 *
 * @typedef {import('../peers/index.mjs').SkippedPeer} SkippedPeer
 *
 * @typedef {object} ServingReport
 * @property {string} generator of the closed loops
 * @property {ServingResult[]} closed
 * @property {OpenLoopResult[]} open
 * @property {import('./pauses.mjs').Pauses} [pauses] of the machine before the first open loop
 * @property {SkippedPeer[]} skipped
 * @property {import('./streams/streamLoops.mjs').StreamResult[]} streams
 * @property {import('./streams/idleConnections.mjs').IdleConnections} idleConnections
 *
 * @typedef {object} ServingOptions
 * @property {Pick<import('../plans.mjs').Plan, 'serving' | 'streams'>} plan
 * @property {readonly import('../options.mjs').PeerGroup[]} peerGroups
 * @property {import('../pinning.mjs').Pinning | null} pinning
 * @property {import('../pinning.mjs').Pinning | null} openPinning while open loops run
 * @property {string} folder for models and data
 * @property {(line: string) => void} progress
 */

const pauseSeconds = 2;

/**
 * Puts load on this package's server and on each peer, in turn, workload by workload.
 *
 * @param {ServingOptions} options
 * @returns {Promise<ServingReport>}
 */
export async function benchServing(options) {
  const { plan, peerGroups, pinning, openPinning, folder, progress } = options;
  const generator = chooseLoadGenerator(folder, pinning);
  const { peers, skipped } = await choosePeers(peerGroups, progress);
  const closed = [];
  const open = [];
  let pauses;
  for (const workloadPlan of plan.serving) {
    const write = workloads[workloadPlan.workload];
    if (!write) throw new Error(`There is no workload "${workloadPlan.workload}".`);
    progress(`serving: starting the servers for ${workloadPlan.workload}`);
    const ownFolder = path.join(folder, 'serving', workloadPlan.workload);
    mkdirSync(ownFolder, { recursive: true });
    const workload = await write(ownFolder);
    const started = await startSubjects({
      workload,
      peers,
      generator,
      pinning,
      openPinning,
      folder: ownFolder,
    });
    const { subjects } = started;
    skipped.push(...started.skipped);
    const say = (/** @type {string} */ line) => progress(`serving ${workload.title}, ${line}`);
    const named = { model: workload.name, title: workload.title };
    for (const load of workloadPlan.closed) {
      const { connections } = load;
      const servers = await measureClosedLoop(load, subjects, (line) =>
        say(`${connections} connections, ${line}`),
      );
      closed.push({ ...named, connections, servers });
    }
    if (workloadPlan.open && process.platform !== 'linux') {
      say('open loop: skipped, its generator needs Linux (epoll)');
    } else if (workloadPlan.open) {
      pauses ??= await measurePauses(ownFolder, pauseSeconds);
      const own = closed.filter(({ model }) => model === workload.name);
      const results = await measureOpenLoops(workloadPlan.open, subjects, own, { ...options, say });
      open.push(...results.map((result) => ({ ...named, ...result })));
    }
    for (const subject of subjects) {
      await subject.settle();
      await subject.stop();
    }
  }
  const streaming = await benchStreams(plan.streams, {
    pinning,
    folder: path.join(folder, 'serving', 'streams'),
    progress,
  });
  return { generator: generator.name, closed, open, pauses, skipped, ...streaming };
}

/**
 * @param {import('../plans.mjs').OpenLoad} plan
 * @param {readonly Subject[]} subjects
 * @param {readonly ServingResult[]} closed what their closed loops gave
 * @param {ServingOptions & { say: (line: string) => void }} options
 * @returns {Promise<Omit<OpenLoopResult, 'model' | 'title'>[]>}
 */
async function measureOpenLoops(plan, subjects, closed, { pinning, openPinning, folder, say }) {
  const cpus = openPinning?.generator;
  const { seconds } = plan;
  const able = subjects.filter(takesArrivals);
  /** @type {(subject: OpenSubject, arrivalsPerSecond: number, seed: number) => Promise<OpenRound>} */
  const run = (subject, arrivalsPerSecond, seed) =>
    subject.openLoad((request) =>
      runOpenLoad(request, { arrivalsPerSecond, seconds, seed }, { folder, cpus }),
    );
  const measured = [];
  for (const subject of able.filter(({ name }) => plan.servers.includes(name))) {
    const closedPeak = peakOf(subject.name, closed);
    if (closedPeak === 0) continue;
    say(`open loop, what ${subject.title} sustains`);
    const { answersPerSecond } = await run(subject, closedPeak, 1);
    // Where the servers have the same cores as in the closed loops, that is their peak, and where the
    // generator is the slower side the loads tell. With other cores, or a generator on theirs, it is
    // another.
    const peak = pinning ? closedPeak : Math.min(closedPeak, answersPerSecond);
    measured.push({ subject, peak, whose: subject, rounds: roundsOf(plan) });
  }
  const alongside = able.find(({ name }) => name === plan.alongside);
  const own = measured.find(({ subject }) => subject.kind === 'own');
  if (alongside && own) {
    measured.push({ ...own, subject: alongside, rounds: roundsOf(plan) });
  }
  for (let round = 1; round <= plan.rounds; round++) {
    for (const [index, share] of plan.shares.entries()) {
      say(`open loop at ${share * 100} % of the peak, round ${round} of ${plan.rounds}`);
      for (const { subject, peak, rounds } of measured) {
        rounds[index]?.push(await run(subject, share * peak, round));
      }
    }
  }
  return measured.map(({ subject, peak, whose, rounds }) => ({
    server: subject.name,
    serverTitle: subject.title,
    ...(whose !== subject && { peakOf: whose.title }),
    peakRequestsPerSecond: peak,
    loads: plan.shares.map((share, index) =>
      openLoadResult(share, share * peak, rounds[index] ?? []),
    ),
  }));
}

/**
 * @param {Subject} subject
 * @returns {subject is OpenSubject}
 */
function takesArrivals(subject) {
  return subject.openLoad !== undefined;
}

/** @type {(plan: import('../plans.mjs').OpenLoad) => OpenRound[][]} by share */
const roundsOf = ({ shares }) => shares.map(() => []);

/** @type {(server: string, closed: readonly ServingResult[]) => number} */
function peakOf(server, closed) {
  const rates = closed.flatMap(({ servers }) =>
    servers
      .filter(({ name, refusal }) => name === server && !refusal)
      .map(({ requestsPerSecond }) => requestsPerSecond.median),
  );
  return Math.max(0, ...rates);
}
