import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * CPUs as taskset takes them, such as `0-5,8`.
 *
 * @typedef {{ server: string, generator: string }} Pinning
 */

/** Fewer can't be shared out without starving one side. */
const leastCpus = 4;

/**
 * Sets the servers and the load generator apart: a quarter of this process's CPUs is the generator's, the
 * rest are the servers'.
 *
 * @returns {Pinning | null} null where there are fewer than four CPUs, or no taskset
 */
export function choosePinning() {
  if (process.platform !== 'linux') return null;
  if (spawnSync('taskset', ['--version'], { stdio: 'ignore' }).error) return null;
  const status = readFileSync('/proc/self/status', 'utf8');
  const cpus = cpusIn(/Cpus_allowed_list:\s*(\S+)/.exec(status)?.[1] ?? '');
  if (cpus.length < leastCpus) return null;
  const generatorCpus = cpus.length >> 2;
  return {
    server: cpus.slice(0, -generatorCpus).join(','),
    generator: cpus.slice(-generatorCpus).join(','),
  };
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
