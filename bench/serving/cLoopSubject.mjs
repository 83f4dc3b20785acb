import { availableParallelism } from 'node:os';
import path from 'node:path';
import { buildCLoop, timeThroughput } from '../engine/cLoops.mjs';
import { writeTensorFile } from '../models/tensorFile.mjs';
import { cpusIn } from '../pinning.mjs';
import { requestSeed } from './httpSubject.mjs';

/**
 * A bare loop over the model with as many threads as there are connections, but no more than the servers
 * have cores.
 *
 * @param {import('./subjects.mjs').SubjectOptions} options
 * @returns {Promise<import('./subjects.mjs').Subject>}
 */
export async function cLoopSubject({ workload, pinning, folder }) {
  const program = await buildCLoop('throughput', folder);
  const cores = pinning ? cpusIn(pinning.server).length : availableParallelism();
  const rows = /** @type {number[][]} */ (workload.data(1, requestSeed));
  const input = path.join(folder, 'cLoop.input');
  writeTensorFile(input, Float32Array.from(rows.flat()));
  return {
    name: 'cLoop',
    title: `C loop, up to ${cores} thread${cores === 1 ? '' : 's'}`,
    kind: 'ceiling',
    load: async (connections, seconds) => {
      const threads = Math.min(connections, cores);
      const { runs, ...times } = await timeThroughput(program, {
        model: workload.modelFile ?? '',
        dims: [1, workload.inputWidth ?? 0],
        input,
        threads,
        intraOpThreads: Math.max(1, Math.floor(cores / threads)),
        seconds,
        output: path.join(folder, 'cLoop.output'),
        cpus: pinning?.server,
      });
      return { ...times, requests: runs, failures: 0 };
    },
    settle: async () => {},
    stop: async () => {},
  };
}
