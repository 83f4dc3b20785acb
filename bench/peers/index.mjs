import { nodePeers } from './node/index.mjs';
import { installPythonPeers } from './python/index.mjs';
import { buildRustPeer } from './rust/index.mjs';

/**
 * A server beside which this package's is put.
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} title as tables show it
 * @property {boolean} [echoes] whether it sends the request back, having no model
 * @property {Adapter} [adapt] where it has a protocol of its own
 * @property {(options: StartOptions) => Promise<import('../processes.mjs').ServerProcess>} start
 *
 * @typedef {{ name: string, title: string, reason: string }} SkippedPeer why a peer isn't measured
 *
 * @typedef {object} StartOptions
 * @property {string} modelFile
 * @property {number} inputWidth of the model
 * @property {string} folder its own, not made yet
 * @property {string | undefined} cpus that it may use, as taskset takes them
 *
 * @typedef {object} Adapter
 * @property {(url: string, data: number[][]) => { url: string, body: string }} request
 * @property {(answer: any) => number[][]} predictions in an answer
 */

/**
 * Installs what the groups need, once.
 *
 * @param {readonly import('../options.mjs').PeerGroup[]} groups
 * @param {(line: string) => void} progress
 * @returns {Promise<{ peers: Peer[], skipped: SkippedPeer[] }>}
 */
export async function choosePeers(groups, progress) {
  const none = { peers: [], skipped: [] };
  const python = groups.includes('python') ? await installPythonPeers(progress) : none;
  const rust = groups.includes('rust') ? await buildRustPeer(progress) : none;
  return {
    peers: [...nodePeers, ...rust.peers, ...python.peers],
    skipped: [...rust.skipped, ...python.skipped],
  };
}
