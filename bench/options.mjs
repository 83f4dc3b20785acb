import { parseArgs } from 'node:util';
import { planFor } from './plans.mjs';

export const usage = `Usage: npm run bench -- [options]

  --quick                 about two minutes: fewer rounds, models and numbers of connections
  --full                  everything, by every peer that this machine can run: an hour and more
  --only <part>           engine, serving or overload
  --peers <groups>        node (the default), python, rust, or several, separated by commas: python
                          installs its peers by pip, rust builds its peer by cargo, both once
  --json <file>           also writes every figure to a file
  --help
`;

/**
 * @typedef {'quick' | 'standard' | 'full'} Mode
 * @typedef {typeof allParts[number]} Part
 * @typedef {'node' | 'python' | 'rust'} PeerGroup
 */

const allParts = /** @type {const} */ (['engine', 'serving', 'overload']);
const peerGroups = /** @type {const} */ (['node', 'python', 'rust']);

/** A mistake on the command line. */
export class UsageError extends Error {}

/**
 * @param {string[]} args
 * @returns {{ help: boolean, mode: Mode, plan: import('./plans.mjs').Plan, parts: Part[],
 *   peers: readonly PeerGroup[], json: string | undefined }}
 * @throws UsageError
 */
export function readOptions(args) {
  const { values } = parse(args);
  if (values.quick && values.full) throw new UsageError('Expected --quick or --full, not both.');
  const mode = values.quick ? 'quick' : values.full ? 'full' : 'standard';
  return {
    help: values.help,
    mode,
    plan: planFor(mode),
    parts: partsFor(values.only),
    peers: peersFor(values.peers ?? (values.full ? peerGroups.join() : 'node')),
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
        full: { type: 'boolean', default: false },
        only: { type: 'string' },
        peers: { type: 'string' },
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
  if (only === undefined) return [...allParts];
  const part = allParts.find((known) => known === only);
  if (part) return [part];
  throw new UsageError(`Expected ${allParts.join(', ')} for --only but received "${only}".`);
}

/**
 * @param {string} groups
 * @returns {PeerGroup[]} with `node`, whose peers cost nothing
 */
function peersFor(groups) {
  const wanted = groups.split(',');
  const unknown = wanted.find((group) => !peerGroups.some((known) => known === group));
  if (unknown !== undefined) {
    throw new UsageError(
      `Expected ${peerGroups.join(', ')} or several of them for --peers but received "${unknown}".`,
    );
  }
  return peerGroups.filter((group) => group === 'node' || wanted.includes(group));
}
