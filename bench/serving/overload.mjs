import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { quantile, spreadOf } from '../statistics.mjs';
import { startCloudeasyml } from './cloudeasyml.mjs';
import { drained, post } from './httpSubject.mjs';
import { chooseLoadGenerator } from './loadGenerator.mjs';
import { generatorLimit, runOpenLoad } from './openLoop.mjs';

/**
 * @typedef {import('../statistics.mjs').Spread} Spread
 * @typedef {import('./openLoop.mjs').OpenRound} OpenRound
 *
 * @typedef {object} OverloadResult what is left of a server's capacity when it is asked for more
 * @property {string} title
 * @property {number} deadlineMs
 * @property {Spread} capacity requests per second in a closed loop, just before each round
 * @property {OverloadRow[]} loads
 *
 * @typedef {object} OverloadRow
 * @property {number} share of the capacity
 * @property {Spread} arrivalsPerSecond
 * @property {Spread} goodput answers per second that came within the deadline
 * @property {Spread} ofCapacity the same by the capacity
 * @property {Spread} refused share of the arrivals that were told at once that they would be late
 * @property {Spread} late share of the arrivals whose deadline went by
 * @property {Spread} [refusalP50Us] from the intended start to a refusal's last byte; none without refusals
 * @property {Spread} generatorLoad
 * @property {string} [refusal] why the figures say nothing of the server
 *
 * @typedef {OpenRound & { arrivalsPerSecond: number, capacity: number }} OverloadRound
 */

const costMs = 8;
const deadlineMs = 100;
/** The server always has its next request at hand, and each is answered well before its deadline. */
const capacityConnections = 4;
const capacitySeconds = 2;
const overloaded = 503;
const expected = [overloaded, 504];

const workload = {
  plugin: 'busy',
  plugins: fileURLToPath(new URL('../plugins', import.meta.url)),
  config: { ms: costMs, serving: { maxBatchSize: 1, timeoutMs: deadlineMs } },
};

/**
 * Offers one worker as much as it can do, and more.
 *
 * @param {import('../plans.mjs').OverloadPlan} plan
 * @param {{ pinning: import('../pinning.mjs').Pinning | null, folder: string,
 *   progress: (line: string) => void }} options `folder` is made where it is missing
 * @returns {Promise<OverloadResult | undefined>} undefined where the generator does not run
 */
export async function benchOverload({ shares, rounds, seconds }, { pinning, folder, progress }) {
  if (process.platform !== 'linux') {
    progress('overload: skipped, its generator needs Linux (epoll)');
    return undefined;
  }
  mkdirSync(folder, { recursive: true });
  const cpus = pinning?.generator;
  const env = { CLOUDEASYML_WORKERS: '1' };
  const server = await startCloudeasyml({ workload, folder, cpus: pinning?.server, env });
  const request = {
    url: `${server.url}/predict`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` },
    body: JSON.stringify({ deploymentId: server.deploymentId, data: 1 }),
  };
  const { predictions } = await post(request);
  if (predictions !== 1) throw new Error(`The server answered ${predictions} where 1 was sent.`);
  const generator = chooseLoadGenerator(folder, pinning);
  const capacities = [];
  /** @type {OverloadRound[][]} by share */
  const measured = shares.map(() => []);
  for (let round = 1; round <= rounds; round++) {
    progress(`overload, what the server can do, round ${round} of ${rounds}`);
    const run = await generator.run(request, capacityConnections, capacitySeconds);
    if (run.failures > 0) throw new Error(`${run.failures} requests failed below the capacity.`);
    const capacity = (run.requests + (run.cutOff ?? 0)) / run.seconds;
    capacities.push(capacity);
    for (const [index, share] of shares.entries()) {
      progress(`overload, ${share} times that, round ${round} of ${rounds}`);
      const load = { arrivalsPerSecond: share * capacity, seconds, seed: round };
      const open = await drained(request, await runOpenLoad(request, load, { folder, cpus }));
      measured[index]?.push({ ...open, capacity, arrivalsPerSecond: load.arrivalsPerSecond });
    }
  }
  await server.stop();
  return {
    title: `${costMs} ms a request, one worker`,
    deadlineMs,
    capacity: spreadOf(capacities),
    loads: shares.map((share, index) => overloadRow(share, seconds, measured[index] ?? [])),
  };
}

/**
 * @param {number} share
 * @param {number} seconds
 * @param {readonly OverloadRound[]} rounds
 * @returns {OverloadRow}
 */
export function overloadRow(share, seconds, rounds) {
  const good = rounds.map(({ times }) => within(times.latency, deadlineMs * 1000));
  const refusals = rounds.map(({ errors }) =>
    Float64Array.from(
      errors.filter(({ status }) => status === overloaded),
      (each) => each.us,
    ).sort(),
  );
  const counted = rounds.map(({ times, errors }) =>
    Math.max(1, times.latency.length + errors.length),
  );
  /** @type {(figure: (round: number) => number) => Spread} */
  const spread = (figure) => spreadOf(rounds.map((_, round) => figure(round)));
  const at = (/** @type {readonly number[]} */ values, /** @type {number} */ round) =>
    values[round] ?? 0;
  const refusedIn = (/** @type {number} */ round) => refusals[round]?.length ?? 0;
  const refusal = refusalOf(rounds);
  return {
    share,
    arrivalsPerSecond: spreadOf(rounds.map(({ arrivalsPerSecond }) => arrivalsPerSecond)),
    goodput: spread((round) => at(good, round) / seconds),
    ofCapacity: spreadOf(rounds.map(({ capacity }, round) => at(good, round) / seconds / capacity)),
    refused: spread((round) => refusedIn(round) / at(counted, round)),
    late: spread((round) => 1 - (at(good, round) + refusedIn(round)) / at(counted, round)),
    ...(refusals.every(({ length }) => length > 0) && {
      refusalP50Us: spreadOf(refusals.map((times) => quantile(times, 0.5))),
    }),
    generatorLoad: spreadOf(rounds.map(({ generatorLoad }) => generatorLoad)),
    ...(refusal && { refusal }),
  };
}

/** How many of sorted times are at most `most`. @type {(times: Float64Array, most: number) => number} */
function within(times, most) {
  const first = times.findIndex((time) => time > most);
  return first < 0 ? times.length : first;
}

/** @param {readonly OverloadRound[]} rounds */
function refusalOf(rounds) {
  const lost = rounds.reduce((sum, round) => sum + round.lost, 0);
  if (lost > 0) return `${lost} requests got no answer`;
  const strange = rounds
    .flatMap(({ errors }) => errors)
    .find(({ status }) => !expected.includes(status));
  if (strange) return `the server answered ${strange.status}`;
  const busy = spreadOf(rounds.map(({ generatorLoad }) => generatorLoad)).median;
  return busy >= generatorLimit ? 'the load generator was the bottleneck' : undefined;
}
