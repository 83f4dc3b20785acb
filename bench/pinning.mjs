import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * CPUs as taskset takes them, such as `0-5,8`.
 *
 * @typedef {{ server: string, generator: string }} Pinning
 */

/**
 * What closed loops need: with fewer CPUs one side is starved, and what they measure is throughput.
 */
export const closedLoopCpus = 4;

/**
 * What open loops need. A server with a CPU less can do less, but so is its peak; a generator that takes the
 * server's CPU from it for a few milliseconds makes the latencies.
 */
export const openLoopCpus = 2;

/**
 * Sets the servers and the load generator apart: a quarter of this process's CPUs is the generator's, the
 * rest are the servers'.
 *
 * @param {number} leastCpus
 * @returns {Pinning | null} null where there are fewer, or no taskset
 */
export function choosePinning(leastCpus) {
  if (process.platform !== 'linux') return null;
  if (spawnSync('taskset', ['--version'], { stdio: 'ignore' }).error) return null;
  const status = readFileSync('/proc/self/status', 'utf8');
  const cpus = cpusIn(/Cpus_allowed_list:\s*(\S+)/.exec(status)?.[1] ?? '');
  if (cpus.length < leastCpus) return null;
  const generatorCpus = Math.max(1, cpus.length >> 2);
  return {
    server: cpus.slice(0, -generatorCpus).join(','),
    generator: cpus.slice(-generatorCpus).join(','),
  };
}

/**
 * Moves a process that runs, with all its threads.
 *
 * @param {number} pid
 * @param {string} cpus
 */
export function moveTo(pid, cpus) {
  const args = ['--all-tasks', '--pid', '--cpu-list', cpus, String(pid)];
  const { status, stderr } = spawnSync('taskset', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset could not move process ${pid}: ${stderr}`);
}

/**
 * @param {string} list such as `0-3,8`
 * @returns {number[]}
 */
export function cpusIn(list) {
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
