import { kinds } from '../report/results.mjs';
import { ratiosOf, spreadOf } from '../statistics.mjs';

/** Share of its CPU time from which a generator, and not the server, may be what a figure tells of. */
export const generatorLimit = 0.95;

/**
 * @typedef {import('../statistics.mjs').Spread} Spread
 * @typedef {import('./loadGenerator.mjs').LoadRun} LoadRun
 * @typedef {import('./subjects.mjs').Subject} Subject
 *
 * @typedef {object} ServerResult
 * @property {string} name
 * @property {string} title
 * @property {Subject['kind']} kind
 * @property {Spread} requestsPerSecond
 * @property {Spread} p50Us
 * @property {Spread} p90Us
 * @property {Spread} p99Us
 * @property {Spread} [generatorLoad] none where no generator is needed
 * @property {string} [refusal] why the figures say nothing of the server
 * @property {Spread} [cloudeasymlRatio] this package's requests per second over HTTP by this server's
 * @property {number} [sockets] WebSockets that carried the load in place of HTTP
 * @property {Spread} [httpRatio] this package's requests per second over WebSockets by those over HTTP
 * @property {Spread} [cLoopRatio] and by the C loop's runs
 */

/**
 * Puts closed-loop load on each subject, in turn, round after round.
 *
 * @param {import('../plans.mjs').ClosedLoad} load
 * @param {readonly Subject[]} subjects this package's first
 * @param {(line: string) => void} progress
 * @returns {Promise<ServerResult[]>} this package's first, ceilings last
 */
export async function measureClosedLoop(load, subjects, progress) {
  const { connections, rounds, seconds, warmUpSeconds } = load;
  const measured = subjects.map((subject) => ({ subject, runs: /** @type {LoadRun[]} */ ([]) }));
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'warm-up' : `round ${round} of ${rounds}`);
    for (const { subject, runs } of measured) {
      const run = await subject.load(connections, round === 0 ? warmUpSeconds : seconds);
      if (round > 0) runs.push(run);
    }
  }
  const found = measured.map(({ subject, runs }) => ({
    server: serverResult(subject, connections, runs),
    rates: runs.map(rateOf),
  }));
  const [http] = found;
  const cLoop = found.find(({ server }) => server.name === 'cLoop');
  return found
    .map((each) => {
      const { server } = each;
      if (each === http) return server;
      return server.kind === 'own'
        ? { ...server, ...ratio('httpRatio', each, http), ...ratio('cLoopRatio', each, cLoop) }
        : { ...server, ...ratio('cloudeasymlRatio', http, each) };
    })
    .sort((one, other) => kinds.indexOf(one.kind) - kinds.indexOf(other.kind));
}

/** @type {(run: LoadRun) => number} */
const rateOf = ({ requests, cutOff = 0, seconds }) => (requests + cutOff) / seconds;

/**
 * @typedef {{ server: ServerResult, rates: number[] }} Found a server's figures, and its rate in each round
 *
 * @param {'cloudeasymlRatio' | 'httpRatio' | 'cLoopRatio'} name
 * @param {Found | undefined} above
 * @param {Found | undefined} below
 * @returns {Partial<ServerResult>} nothing where there is no ratio
 */
function ratio(name, above, below) {
  if (!above || !below || above.server.refusal || below.server.refusal) return {};
  return { [name]: ratiosOf(above.rates, below.rates) };
}

/**
 * @param {Subject} subject
 * @param {number} connections
 * @param {readonly LoadRun[]} runs
 * @returns {ServerResult}
 */
function serverResult({ name, title, kind, sockets }, connections, runs) {
  const spread = (/** @type {(run: LoadRun) => number} */ figure) => spreadOf(runs.map(figure));
  const failures = runs.reduce((sum, run) => sum + run.failures, 0);
  const loads = runs.flatMap(({ generatorLoad }) => generatorLoad ?? []);
  const generatorLoad = loads.length > 0 ? spreadOf(loads) : undefined;
  const result = {
    name,
    title,
    kind,
    ...(sockets && { sockets: sockets(connections) }),
    requestsPerSecond: spread(rateOf),
    p50Us: spread((run) => run.p50Us),
    p90Us: spread((run) => run.p90Us),
    p99Us: spread((run) => run.p99Us),
    ...(generatorLoad && { generatorLoad }),
  };
  if (failures > 0) {
    const failure = runs.map((run) => run.failure).find(Boolean);
    const refusal = `${failures} requests failed${failure ? `: ${failure}` : ''}`;
    return { ...result, refusal };
  }
  if (runs.some(({ requests }) => requests === 0)) {
    return { ...result, refusal: 'a round was too short for an answer' };
  }
  if (generatorLoad && generatorLoad.median >= generatorLimit) {
    return { ...result, refusal: 'the load generator was the bottleneck' };
  }
  return result;
}
