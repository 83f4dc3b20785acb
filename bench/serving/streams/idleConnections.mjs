import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { residentBytes } from '../../processes.mjs';
import { spreadOf } from '../../statistics.mjs';
import { startCloudeasyml } from '../cloudeasyml.mjs';
import { upgradeRequest } from '../socket/frames.mjs';
import { streamWorkloads } from './streamWorkloads.mjs';

/**
 * @typedef {import('../../statistics.mjs').Spread} Spread
 *
 * @typedef {object} IdleConnections what WebSockets cost that have a key and ask for nothing
 * @property {number} connections
 * @property {Spread} residentBefore bytes of the server's process with none
 * @property {Spread} resident bytes with all of them
 * @property {Spread} residentTwice bytes with twice as many
 * @property {Spread} bytesPerConnection of the second half: the first connections take memory that the
 *   process had free
 */

/** How long a server is left alone before its memory is looked at. */
const settleMs = 1000;
/** Opened and closed first, for what the first ones bring along with them. */
const warmUpConnections = 10;
/** Connections that are on their way at once: a server's backlog is bounded. */
const batch = 100;

/**
 * Opens idle connections to a fresh server, which has no memory of others to use again.
 *
 * @param {import('../../plans.mjs').StreamPlan['idle']} plan
 * @param {import('./streamLoops.mjs').StreamOptions} options
 * @returns {Promise<IdleConnections>}
 */
export async function measureIdleConnections({ connections, rounds }, options) {
  const { pinning, folder, progress } = options;
  const [workload] = streamWorkloads(folder, 1);
  if (!workload) throw new Error('There is no plugin to serve.');
  const found = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`streams, ${connections} idle connections, round ${round} of ${rounds}`);
    const ownFolder = path.join(folder, `idle${round}`);
    const server = await startCloudeasyml({
      workload,
      folder: ownFolder,
      cpus: pinning?.server,
      // One key opens them all, and those of the warm-up may not be gone yet.
      env: { CLOUDEASYML_MAX_SOCKETS_PER_KEY: String(2 * connections + warmUpConnections) },
    });
    for (const socket of await openSockets(server, warmUpConnections)) socket.destroy();
    await setTimeout(settleMs);
    const before = residentBytes(server.pid);
    const sockets = await openSockets(server, connections);
    await setTimeout(settleMs);
    const resident = residentBytes(server.pid);
    sockets.push(...(await openSockets(server, connections)));
    await setTimeout(settleMs);
    found.push({ before, resident, twice: residentBytes(server.pid) });
    const closed = sockets.filter(({ readyState }) => readyState !== 'open').length;
    if (closed > 0) throw new Error(`The server closed ${closed} idle WebSockets.`);
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
  return {
    connections,
    residentBefore: spreadOf(found.map(({ before }) => before)),
    resident: spreadOf(found.map(({ resident }) => resident)),
    residentTwice: spreadOf(found.map(({ twice }) => twice)),
    bytesPerConnection: spreadOf(
      found.map(({ resident, twice }) => (twice - resident) / connections),
    ),
  };
}

/**
 * @param {{ url: string, apiKey: string }} server
 * @param {number} count
 */
async function openSockets({ url, apiKey }, count) {
  const { hostname, port } = new URL(url);
  const upgrade = upgradeRequest(url, apiKey);
  const open = async () => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write(upgrade);
    const [answer] = await once(socket, 'data');
    if (!String(answer).startsWith('HTTP/1.1 101 ')) throw new Error(String(answer));
    return socket;
  };
  const sockets = [];
  while (sockets.length < count) {
    const next = Math.min(batch, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: next }, open))));
  }
  return sockets;
}
