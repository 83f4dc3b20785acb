import { fileURLToPath } from 'node:url';
import { startServer } from '../processes.mjs';

/**
 * A server beside which this package's is put.
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} title as tables show it
 * @property {boolean} echoes whether it sends the request back, having no model
 * @property {(modelFile: string) => Promise<import('../processes.mjs').ServerProcess>} start
 */

/** @param {string} script */
const byNode = (script) => (/** @type {string} */ modelFile) =>
  startServer(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), modelFile]);

/** @type {readonly Peer[]} */
export const peers = [
  {
    name: 'fastifyOnnxruntime',
    title: 'Fastify + onnxruntime-node',
    echoes: false,
    start: byNode('fastifyOnnxruntime.mjs'),
  },
  {
    name: 'uwsOnnxruntime',
    title: 'uWebSockets.js + onnxruntime-node',
    echoes: false,
    start: byNode('uwsOnnxruntime.mjs'),
  },
  {
    name: 'bareUws',
    title: 'bare uWebSockets.js, echo',
    echoes: true,
    start: byNode('bareUws.mjs'),
  },
];
