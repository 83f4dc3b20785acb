import { cLoopSubject } from './cLoopSubject.mjs';
import { startOwn } from './ownSubjects.mjs';
import { startPeer } from './peerSubject.mjs';

/**
 * What load is put on.
 *
 * @typedef {object} Subject
 * @property {string} name
 * @property {string} title
 * @property {'own' | 'peer' | 'ceiling'} kind
 * @property {(connections: number) => number} [sockets] WebSockets that a load of so many connections is
 *   put on, each with its share of the requests in flight; without it the load comes over HTTP
 * @property {(connections: number, seconds: number) => Promise<LoadRun>} load
 * @property {(run: (request: LoadRequest) => Promise<OpenRound>) => Promise<OpenRound>} [openLoad] none for
 *   what takes no requests over HTTP
 * @property {() => Promise<void>} settle throws where its accounts don't hold every request answered
 * @property {() => Promise<void>} stop
 *
 * @typedef {import('./loadGenerator.mjs').LoadRequest} LoadRequest
 * @typedef {import('./loadGenerator.mjs').LoadRun} LoadRun
 * @typedef {import('./loadGenerator.mjs').LoadGenerator} LoadGenerator
 * @typedef {import('./openLoop.mjs').OpenRound} OpenRound
 * @typedef {import('./workloads.mjs').Workload} Workload
 * @typedef {import('../peers/index.mjs').Peer} Peer
 *
 * @typedef {object} SubjectOptions
 * @property {Workload} workload
 * @property {readonly Peer[]} peers
 * @property {LoadGenerator} generator
 * @property {import('../pinning.mjs').Pinning | null} pinning
 * @property {import('../pinning.mjs').Pinning | null} openPinning while open loops run, which come last
 * @property {string} folder
 */

/**
 * Starts this package's server and every peer that can serve the workload, and has each prove that its
 * answers are right.
 *
 * @param {SubjectOptions} options
 * @returns {Promise<{ subjects: Subject[], skipped: import('../peers/index.mjs').SkippedPeer[] }>} this
 *   package's first; peers that didn't start or gave wrong answers are skipped
 */
export async function startSubjects(options) {
  const { workload, peers } = options;
  const { subjects, requestTo } = await startOwn(options);
  // Next to what it is the ceiling of: rounds drift.
  if (workload.ceilings.includes('cLoop')) subjects.push(await cLoopSubject(options));
  const skipped = [];
  for (const peer of peers) {
    if (!(peer.echoes ? workload.ceilings.includes('echo') : workload.modelFile)) continue;
    try {
      subjects.push(await startPeer(peer, options, requestTo));
    } catch (error) {
      const reason = `${workload.name}: ${/** @type {Error} */ (error).message}`;
      skipped.push({ name: peer.name, title: peer.title, reason });
    }
  }
  return { subjects, skipped };
}
