import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from '../processes.mjs';

/**
 * @typedef {object} LoadRequest
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {string} body
 *
 * @typedef {object} LoadRun what a closed loop saw: every connection sends when its answer has come
 * @property {number} requests answered; where those in flight at the end count in part, no whole number
 * @property {number} [cutOff] requests that were in flight at the end and aren't in `requests`, each by the
 *   part of its time that had passed
 * @property {number} seconds
 * @property {number} p50Us latency, microseconds
 * @property {number} p90Us
 * @property {number} p99Us
 * @property {number} failures connection errors, timeouts, and answers that are errors
 * @property {string} [failure] the first one, where the generator tells
 * @property {number} [generatorLoad] CPU time of the generator by its threads and the time: 1 is all it has
 *
 * @typedef {object} LoadGenerator
 * @property {string} name
 * @property {(request: LoadRequest, connections: number, seconds: number) => Promise<LoadRun>} run
 *   for a whole number of seconds
 */

/** @param {string} name */
const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * wrk where it is installed, else autocannon, which costs several times the CPU time for each request.
 *
 * @param {string} folder for what the generator reads
 * @param {import('../pinning.mjs').Pinning | null} pinning
 * @returns {LoadGenerator}
 */
export function chooseLoadGenerator(folder, pinning) {
  // A quarter of the cores is what the generator gets, the rest is the server's.
  const threads = Math.max(1, availableParallelism() >> 2);
  const hasWrk = spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined;
  return (hasWrk ? wrk : autocannon)(folder, threads, pinning?.generator);
}

/** @type {(folder: string, maxThreads: number, cpus: string | undefined) => LoadGenerator} */
function wrk(folder, maxThreads, cpus) {
  const bodyFile = path.join(folder, 'body.json');
  return {
    name: 'wrk',
    run: async ({ url, headers, body }, connections, seconds) => {
      writeFileSync(bodyFile, body);
      const threads = Math.min(maxThreads, connections);
      const args = [
        `--threads=${threads}`,
        `--connections=${connections}`,
        `--duration=${seconds}s`,
        '--timeout=30s',
        `--script=${script('post.lua')}`,
        ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
        url,
      ];
      // The shell's `times` tells what wrk used.
      const output = await runToEnd('sh', ['-c', 'wrk "$@" && times', 'wrk', ...args], {
        env: { BENCH_BODY: bodyFile },
        cpus,
      });
      const cpuSeconds = childrenCpuSeconds(output);
      return loadRun({ ...lastJson(output), cpuSeconds }, connections, threads);
    },
  };
}

/** @type {(folder: string, workers: number, cpus: string | undefined) => LoadGenerator} */
function autocannon(folder, workers, cpus) {
  const requestFile = path.join(folder, 'request.json');
  return {
    name: 'autocannon (latencies in whole milliseconds)',
    run: async (request, connections, seconds) => {
      const threads = Math.min(workers, connections);
      writeFileSync(requestFile, JSON.stringify({ ...request, connections, seconds, threads }));
      const output = await runToEnd(process.execPath, [script('autocannonLoad.mjs'), requestFile], {
        cpus,
      });
      return loadRun(lastJson(output), connections, threads);
    },
  };
}

/**
 * Both generators cut off what is in flight when the time is up. A connection's answers are a renewal
 * process: after a long time T there are T ÷ mean − (1 − v²) ÷ 2 of them, v being the latency's deviation by
 * its mean (W. L. Smith, "Renewal Theory and Its Ramifications", 1958). The latter part is what was cut off.
 *
 * @param {Omit<LoadRun, 'cutOff' | 'generatorLoad'> &
 *   { meanUs: number, deviationUs: number, cpuSeconds: number }} told by the generator
 * @param {number} connections
 * @param {number} threads
 * @returns {LoadRun}
 */
function loadRun({ meanUs, deviationUs, cpuSeconds, ...run }, connections, threads) {
  const variation = run.requests > 0 ? deviationUs / meanUs : 1;
  return {
    ...run,
    cutOff: (connections * Math.max(0, 1 - variation ** 2)) / 2,
    generatorLoad: cpuSeconds / (run.seconds * threads),
  };
}

/** @param {string} output */
function lastJson(output) {
  const line = output.split('\n').findLast((each) => each.startsWith('{'));
  if (!line) throw new Error(`The load generator told nothing:\n${output}`);
  return JSON.parse(line);
}

/**
 * Reads what POSIX's `times` prints: the shell's own user and system time, and on the next line its
 * children's, as `0m1.25s 0m0.5s`.
 *
 * @param {string} output
 */
function childrenCpuSeconds(output) {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const times = [...line.matchAll(/(\d+)m([\d.]+)s/g)];
  if (times.length !== 2) throw new Error(`Expected the times of a process but read "${line}".`);
  return times.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
}
