import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildProgram } from '../nativeProgram.mjs';
import { cpusIn } from '../pinning.mjs';
import { runToEnd } from '../processes.mjs';
import { quantile, spreadOf } from '../statistics.mjs';
import { requestBytes } from './requestBytes.mjs';

/**
 * @typedef {import('../statistics.mjs').Spread} Spread
 *
 * What a generator prints.
 *
 * @typedef {object} OpenLoadSummary
 * @property {number} answered
 * @property {number} failures
 * @property {number} lost those of the failures that got no answer
 * @property {string} failure the first one
 * @property {number} answersPerSecond after the warm-up
 * @property {number} generatorLoad CPU time of the generator by the time that passed
 *
 * Quantiles over a round's requests, microseconds, each with its spread over the rounds.
 * @typedef {{ p50Us: Spread, p90Us: Spread, p99Us: Spread, p999Us: Spread }} Quantiles
 *
 * @typedef {object} OpenLoadResult
 * @property {number} share of the peak
 * @property {number} arrivalsPerSecond
 * @property {Spread} answersPerSecond
 * @property {Quantiles} latency from a request's intended start to its answer's last byte
 * @property {{ generator: Quantiles, queue?: Quantiles, batch?: Quantiles, compute?: Quantiles,
 *   rest?: Quantiles }} parts of a request's latency: before its bytes were written, in the server's queue,
 *   from there to the run, the run, and what remains
 * @property {Quantiles} generatorLateness from the intended start to the generator's coming to it
 * @property {Spread} generatorLoad
 * @property {string} [refusal]
 *
 * @typedef {object} OpenLoopResult
 * @property {string} model
 * @property {string} title
 * @property {string} server
 * @property {string} serverTitle
 * @property {string} [peakOf] whose peak it is, where not the server's own
 * @property {number} peakRequestsPerSecond
 * @property {OpenLoadResult[]} loads
 */

/** Before requests are counted: caches and connections are new then, and so is the load. */
const warmUpSeconds = 0.5;

/** Of all generators together: more than the requests that a server which keeps up has in hand. */
const connections = 256;

/** CPU share of a generator from which it, and not the server, makes the latencies. */
export const generatorLimit = 0.9;

/** As much of the p99 may be the generator's own lateness. */
const latenessLimit = 0.5;

/** Of a request in a generator's file, in this order, behind its answer's status. */
const fields = /** @type {const} */ ([
  'latency',
  'generator',
  'generatorLateness',
  'queue',
  'batch',
  'compute',
]);

/** What a server may tell of a request. */
const told = /** @type {const} */ (['queue', 'batch', 'compute']);

/** @typedef {Record<typeof fields[number] | 'rest', Float64Array>} RequestTimes sorted microseconds */
/**
 * @typedef {OpenLoadSummary & { times: RequestTimes, errors: { status: number, us: number }[] }} OpenRound
 *   `errors` are the other answers than 200, with their latencies
 */

/**
 * Puts open-loop load on a server once.
 *
 * @param {import('./loadGenerator.mjs').LoadRequest} request
 * @param {{ arrivalsPerSecond: number, seconds: number, seed: number }} load
 * @param {{ folder: string, cpus: string | undefined }} options where the generator may write, and the
 *   CPUs that are its own
 * @returns {Promise<OpenRound>}
 */
export async function runOpenLoad(request, { arrivalsPerSecond, seconds, seed }, options) {
  const { folder, cpus } = options;
  const program = await buildProgram({
    source: new URL('openLoad.cc', import.meta.url),
    program: path.join(folder, 'openLoad'),
  });
  const { hostname, port } = new URL(request.url);
  const requestFile = path.join(folder, 'openLoad.request');
  writeFileSync(requestFile, requestBytes(request));
  const generators = cpus ? cpusIn(cpus).length : 1;
  // Poisson processes add up to a Poisson process.
  const rounds = await Promise.all(
    Array.from({ length: generators }, async (_, index) => {
      const timesFile = path.join(folder, `openLoad${index}.times`);
      const numbers = [
        arrivalsPerSecond / generators,
        warmUpSeconds,
        seconds,
        Math.ceil(connections / generators),
        seed * 1000 + index + 1,
      ];
      const args = [hostname, port, requestFile, ...numbers.map(String), timesFile];
      const output = await runToEnd(program, args, { cpus });
      const summary = /** @type {OpenLoadSummary} */ (JSON.parse(output));
      return { summary, times: new Float64Array(new Uint8Array(readFileSync(timesFile)).buffer) };
    }),
  );
  const summaries = rounds.map(({ summary }) => summary);
  const sum = (/** @type {'answered' | 'failures' | 'lost' | 'answersPerSecond'} */ field) =>
    summaries.reduce((total, summary) => total + summary[field], 0);
  const failure = summaries.map((summary) => summary.failure).find(Boolean);
  return {
    answered: sum('answered'),
    failures: sum('failures'),
    lost: sum('lost'),
    failure: failure ?? '',
    answersPerSecond: sum('answersPerSecond'),
    generatorLoad: Math.max(...summaries.map((summary) => summary.generatorLoad)),
    ...splitTimes(rounds.map(({ times }) => times)),
  };
}

/**
 * @param {readonly Float64Array[]} records of generators, as openLoad.cc says
 * @returns {Pick<OpenRound, 'times' | 'errors'>}
 */
function splitTimes(records) {
  const answers = [];
  const errors = [];
  for (const record of records) {
    for (let at = 0; at < record.length; at += fields.length + 1) {
      const [status = 0, ...times] = record.subarray(at, at + fields.length + 1);
      if (status === 200) answers.push(times);
      else errors.push({ status, us: times[0] ?? 0 });
    }
  }
  return { times: sortedTimes(answers), errors };
}

/**
 * @param {readonly number[][]} answers each in the order of `fields`
 * @returns {RequestTimes}
 */
function sortedTimes(answers) {
  const times = /** @type {RequestTimes} */ (
    Object.fromEntries(
      [...fields, 'rest'].map((field) => [field, new Float64Array(answers.length)]),
    )
  );
  for (const [request, answer] of answers.entries()) {
    for (const [index, field] of fields.entries()) times[field][request] = answer[index] ?? 0;
    let rest = (times.latency[request] ?? 0) - (times.generator[request] ?? 0);
    for (const part of told) rest -= times[part][request] || 0;
    times.rest[request] = rest;
  }
  for (const values of Object.values(times)) values.sort();
  return times;
}

/**
 * @param {number} share of the peak
 * @param {number} arrivalsPerSecond
 * @param {readonly OpenRound[]} rounds
 * @returns {OpenLoadResult}
 */
export function openLoadResult(share, arrivalsPerSecond, rounds) {
  const quantiles = (/** @type {keyof RequestTimes} */ part) => quantilesOf(rounds, part);
  const parts = told.filter((part) =>
    // Sorted, what is no number comes last.
    rounds.every(({ times }) => !Number.isNaN(times[part].at(-1) ?? Number.NaN)),
  );
  const refusal = refusalOf(rounds);
  return {
    share,
    arrivalsPerSecond,
    answersPerSecond: spreadOf(rounds.map((round) => round.answersPerSecond)),
    latency: quantiles('latency'),
    parts: {
      generator: quantiles('generator'),
      ...Object.fromEntries(parts.map((part) => [part, quantiles(part)])),
      ...(parts.length > 0 && { rest: quantiles('rest') }),
    },
    generatorLateness: quantiles('generatorLateness'),
    generatorLoad: spreadOf(rounds.map(({ generatorLoad }) => generatorLoad)),
    ...(refusal && { refusal }),
  };
}

/** @type {(rounds: readonly OpenRound[], part: keyof RequestTimes) => Quantiles} */
function quantilesOf(rounds, part) {
  const at = (/** @type {number} */ share) =>
    spreadOf(rounds.map(({ times }) => quantile(times[part], share)));
  return { p50Us: at(0.5), p90Us: at(0.9), p99Us: at(0.99), p999Us: at(0.999) };
}

/**
 * @param {readonly OpenRound[]} rounds
 * @returns {string | undefined} why they say nothing of the server
 */
function refusalOf(rounds) {
  const failures = rounds.reduce((sum, round) => sum + round.failures, 0);
  if (failures > 0) {
    const failure = rounds.map((round) => round.failure).find(Boolean);
    return `${failures} requests failed: ${failure}`;
  }
  const load = spreadOf(rounds.map(({ generatorLoad }) => generatorLoad)).median;
  const lateness = quantilesOf(rounds, 'generatorLateness').p99Us.median;
  const latency = quantilesOf(rounds, 'latency').p99Us.median;
  if (load >= generatorLimit || lateness >= latenessLimit * latency) {
    return 'the load generator was the bottleneck';
  }
  return undefined;
}
