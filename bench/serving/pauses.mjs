import path from 'node:path';
import { buildProgram } from '../nativeProgram.mjs';
import { runToEnd } from '../processes.mjs';

/**
 * What the machine takes by itself from programs that keep all its CPUs busy: no server's tail is shorter.
 *
 * @typedef {object} Pauses
 * @property {number} cpus that were watched
 * @property {number} seconds of each
 * @property {number} thresholdUs shorter gaps aren't counted
 * @property {number} pauses
 * @property {number} share of the time that went by in them
 * @property {number} longestUs
 */

/**
 * @param {string} folder for the program
 * @param {number} seconds
 * @returns {Promise<Pauses>}
 */
export async function measurePauses(folder, seconds) {
  const program = await buildProgram({
    source: new URL('pauses.cc', import.meta.url),
    program: path.join(folder, 'pauses'),
  });
  return JSON.parse(await runToEnd(program, [String(seconds)], {}));
}

/** @param {Pauses} pauses */
export function pausesLine({ cpus, seconds, thresholdUs, share, longestUs }) {
  const lost = `${(share * 100).toFixed(2)} % of its time`;
  return `The machine itself: on ${cpus} busy CPUs a program that only reads the clock lost ${lost} in pauses of over ${thresholdUs / 1000} ms within ${seconds} s, the longest ${(longestUs / 1000).toFixed(1)} ms.`;
}
