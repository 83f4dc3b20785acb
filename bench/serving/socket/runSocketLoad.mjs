import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from '../../processes.mjs';

/**
 * What a load is put on.
 *
 * @typedef {object} SocketTarget
 * @property {string} url of the server, `http:`
 * @property {string} apiKey
 * @property {import('./payloads.mjs').Payload} payload of the frame that is sent over and over
 *
 * @typedef {import('./socketLoad.mjs').SocketLoadSummary & { generatorLoad: number }} SocketRun
 */

const script = fileURLToPath(new URL('socketLoad.mjs', import.meta.url));

/** Connections that a load is spread over. */
const mostConnections = 4;

/** @param {number} inFlight in all */
export const connectionsFor = (inFlight) => Math.min(mostConnections, inFlight);

/**
 * Puts closed-loop load on a server over WebSockets once, by a process of its own.
 *
 * @param {SocketTarget} target
 * @param {{ inFlight: number, seconds: number }} load requests or streams in flight, in all
 * @param {{ folder: string, cpus: string | undefined }} options where the generator's orders may lie, and
 *   the CPUs that are its own
 * @returns {Promise<SocketRun>}
 */
export async function runSocketLoad({ url, apiKey, payload }, { inFlight, seconds }, options) {
  const payloadFile = path.join(options.folder, 'socketLoad.payload');
  const orderFile = path.join(options.folder, 'socketLoad.json');
  const connections = connectionsFor(inFlight);
  /** @type {import('./socketLoad.mjs').SocketOrder} */
  const order = {
    url,
    apiKey,
    payloadFile,
    isBinary: payload.isBinary,
    connections,
    inFlight: Math.ceil(inFlight / connections),
    seconds,
  };
  writeFileSync(payloadFile, payload.bytes);
  writeFileSync(orderFile, JSON.stringify(order));
  const output = await runToEnd(process.execPath, [script, orderFile], { cpus: options.cpus });
  const summary = /** @type {import('./socketLoad.mjs').SocketLoadSummary} */ (JSON.parse(output));
  return { ...summary, generatorLoad: summary.cpuSeconds / summary.seconds };
}
