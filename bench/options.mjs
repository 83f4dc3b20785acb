import { parseArgs } from 'node:util';

/**
 * How long each part measures. A case is one way of calling one model.
 *
 * @typedef {object} Plan
 * @property {{ rounds: number, secondsPerCase: number }} engine
 * @property {Load[]} serving
 *
 * @typedef {object} Load
 * @property {number} connections
 * @property {number} rounds
 * @property {number} seconds of each server in a round, a whole number
 * @property {number} warmUpSeconds of each server before the first round
 *
 * @typedef {'engine' | 'serving'} Part
 */

/** About two minutes. @type {Plan} */
const quick = {
  engine: { rounds: 3, secondsPerCase: 0.4 },
  serving: [{ connections: 64, rounds: 3, seconds: 2, warmUpSeconds: 1 }],
};

/** About five minutes. @type {Plan} */
const standard = {
  engine: { rounds: 5, secondsPerCase: 0.4 },
  serving: [
    { connections: 64, rounds: 5, seconds: 2, warmUpSeconds: 1 },
    { connections: 1, rounds: 3, seconds: 2, warmUpSeconds: 1 },
    { connections: 8, rounds: 3, seconds: 2, warmUpSeconds: 1 },
    { connections: 256, rounds: 3, seconds: 2, warmUpSeconds: 1 },
  ],
};

export const usage = `Usage: npm run bench -- [options]

  --quick                 about two minutes: fewer rounds, 64 connections only (else about five)
  --only engine|serving   one part only
  --json <file>           also writes every figure to a file
  --help
`;

/** A mistake on the command line. */
export class UsageError extends Error {}

/**
 * @param {string[]} args
 * @returns {{ help: boolean, quick: boolean, plan: Plan, parts: Part[], json: string | undefined }}
 * @throws UsageError
 */
export function readOptions(args) {
  const { values } = parse(args);
  return {
    help: values.help,
    quick: values.quick,
    plan: values.quick ? quick : standard,
    parts: partsFor(values.only),
    json: values.json,
  };
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
}

/**
 * @param {string | undefined} only
 * @returns {Part[]}
 */
function partsFor(only) {
  if (only === undefined) return ['engine', 'serving'];
  if (only === 'engine' || only === 'serving') return [only];
  throw new UsageError(`Expected "engine" or "serving" for --only but received "${only}".`);
}
