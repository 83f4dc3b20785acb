import { ratiosOf, spreadOf } from '../statistics.mjs';

/** Share of its CPU time from which a generator, and not the server, may be what a figure tells of. */
const generatorLimit = 0.95;

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
 * @property {Spread} [cloudeasymlRatio] this package's requests per second by this server's
 */

/**
 * Puts closed-loop load on each subject, in turn, round after round.
 *
 * @param {import('../plans.mjs').ClosedLoad} load
 * @param {readonly Subject[]} subjects this package's first
 * @param {(line: string) => void} progress
 * @returns {Promise<ServerResult[]>}
 */
export async function measureClosedLoop(load, subjects, progress) {
  const { connections, rounds, seconds, warmUpSeconds } = load;
  const measured = subjects.map(() => /** @type {LoadRun[]} */ ([]));
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? 'warm-up' : `round ${round} of ${rounds}`);
    for (const [index, subject] of subjects.entries()) {
      const run = await subject.load(connections, round === 0 ? warmUpSeconds : seconds);
      if (round > 0) measured[index]?.push(run);
    }
  }
  const servers = subjects.map((subject, index) => serverResult(subject, measured[index] ?? []));
  const rates = measured.map((runs) => runs.map(({ requests, seconds }) => requests / seconds));
  const [own, ...others] = servers;
  others.forEach((server, index) => {
    if (own?.refusal || server.refusal) return;
    server.cloudeasymlRatio = ratiosOf(rates[0] ?? [], rates[index + 1] ?? []);
  });
  return servers;
}

/**
 * @param {Subject} subject
 * @param {readonly LoadRun[]} runs
 * @returns {ServerResult}
 */
function serverResult({ name, title, kind }, runs) {
  const spread = (/** @type {(run: LoadRun) => number} */ figure) => spreadOf(runs.map(figure));
  const failures = runs.reduce((sum, run) => sum + run.failures, 0);
  const loads = runs.flatMap(({ generatorLoad }) => generatorLoad ?? []);
  const generatorLoad = loads.length > 0 ? spreadOf(loads) : undefined;
  const result = {
    name,
    title,
    kind,
    requestsPerSecond: spread(({ requests, seconds }) => requests / seconds),
    p50Us: spread((run) => run.p50Us),
    p90Us: spread((run) => run.p90Us),
    p99Us: spread((run) => run.p99Us),
    ...(generatorLoad && { generatorLoad }),
  };
  if (failures > 0) return { ...result, refusal: `${failures} requests failed` };
  if (runs.some(({ requests }) => requests === 0)) {
    return { ...result, refusal: 'a round was too short for an answer' };
  }
  if (generatorLoad && generatorLoad.median >= generatorLimit) {
    return { ...result, refusal: 'the load generator was the bottleneck' };
  }
  return result;
}
