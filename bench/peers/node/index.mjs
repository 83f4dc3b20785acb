import { fileURLToPath } from 'node:url';
import { startServer } from '../../processes.mjs';

/** @type {(script: string) => import('../index.mjs').Peer['start']} */
const byNode =
  (script) =>
  ({ modelFile, cpus }) =>
    startServer(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), modelFile], {
      cpus,
    });

/** @type {readonly import('../index.mjs').Peer[]} */
export const nodePeers = [
  {
    name: 'fastifyOnnxruntime',
    title: 'Fastify + onnxruntime-node',
    start: byNode('fastifyOnnxruntime.mjs'),
  },
  {
    name: 'uwsOnnxruntime',
    title: 'uWebSockets.js + onnxruntime-node',
    start: byNode('uwsOnnxruntime.mjs'),
  },
  {
    name: 'bareUws',
    title: 'bare uWebSockets.js, echo',
    echoes: true,
    start: byNode('bareUws.mjs'),
  },
];
