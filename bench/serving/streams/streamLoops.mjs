import path from 'node:path';
import { spreadOf } from '../../statistics.mjs';
import { accountOf } from '../accounts.mjs';
import { generatorLimit } from '../closedLoop.mjs';
import { startCloudeasyml } from '../cloudeasyml.mjs';
import { askSocket } from '../socket/askSocket.mjs';
import { jsonPayload } from '../socket/payloads.mjs';
import { connectionsFor, runSocketLoad } from '../socket/runSocketLoad.mjs';
import { streamWorkloads } from './streamWorkloads.mjs';

/**
 * @typedef {import('../../statistics.mjs').Spread} Spread
 * @typedef {import('../socket/runSocketLoad.mjs').SocketRun} SocketRun
 *
 * @typedef {object} StreamResult closed loop: where a stream ends, the next begins
 * @property {string} model
 * @property {string} title
 * @property {number} streams open at once
 * @property {number} sockets WebSockets that they share
 * @property {number} outputsPerStream at most
 * @property {Spread} outputsPerSecond of all streams together
 * @property {Spread} firstOutputP50Us from a stream's opening to its first output
 * @property {Spread} firstOutputP99Us
 * @property {Spread} generatorLoad
 * @property {string} [refusal] why the figures say nothing of the server
 *
 * @typedef {object} StreamOptions
 * @property {import('../../pinning.mjs').Pinning | null} pinning
 * @property {string} folder for models and data
 * @property {(line: string) => void} progress
 */

/**
 * Has a plugin's streams run side by side over WebSockets.
 *
 * @param {import('../../plans.mjs').StreamPlan} plan
 * @param {StreamOptions} options
 * @returns {Promise<StreamResult[]>}
 */
export async function measureStreams(plan, { pinning, folder, progress }) {
  const results = [];
  for (const workload of streamWorkloads(folder, plan.outputs)) {
    const ownFolder = path.join(folder, workload.name);
    const server = await startCloudeasyml({ workload, folder: ownFolder, cpus: pinning?.server });
    const target = await provenTarget(workload, server);
    const account = accountOf(server);
    const run = async (/** @type {number} */ streams, /** @type {number} */ seconds) => {
      const load = { inFlight: streams, seconds };
      const options = { folder: ownFolder, cpus: pinning?.generator };
      const found = await runSocketLoad(target, load, options);
      account.add(found.answered);
      return found;
    };
    const measured = plan.streams.map((streams) => ({
      streams,
      runs: /** @type {SocketRun[]} */ ([]),
    }));
    for (let round = 0; round <= plan.rounds; round++) {
      for (const { streams, runs } of measured) {
        const when = round === 0 ? 'warm-up' : `round ${round} of ${plan.rounds}`;
        progress(`streams, ${workload.title}, ${streams} at once, ${when}`);
        const found = await run(streams, round === 0 ? plan.warmUpSeconds : plan.seconds);
        if (round > 0) runs.push(found);
      }
    }
    await account.settle();
    await server.stop();
    const named = { model: workload.name, title: workload.title, outputsPerStream: plan.outputs };
    results.push(
      ...measured.map(({ streams, runs }) => ({ ...named, ...streamResult(streams, runs) })),
    );
  }
  return results;
}

/**
 * @param {import('./streamWorkloads.mjs').StreamWorkload} workload
 * @param {Awaited<ReturnType<typeof startCloudeasyml>>} server
 * @returns {Promise<import('../socket/runSocketLoad.mjs').SocketTarget>} what its outputs have been proved of
 */
async function provenTarget({ data, options, check }, { url, apiKey, deploymentId }) {
  const request = { deploymentId, data, options };
  const target = {
    url,
    apiKey,
    payload: jsonPayload({ ...request, stream: true, end: true }),
  };
  const { outputs } = await askSocket(target);
  await check(outputs, async () => {
    const { predictions } = await askSocket({ ...target, payload: jsonPayload(request) });
    return predictions;
  });
  return target;
}

/** @type {(streams: number, runs: readonly SocketRun[]) => Omit<StreamResult, 'model' | 'title' | 'outputsPerStream'>} */
function streamResult(streams, runs) {
  const spread = (/** @type {(run: SocketRun) => number} */ figure) => spreadOf(runs.map(figure));
  const generatorLoad = spread((run) => run.generatorLoad);
  const refusal = refusalOf(runs, generatorLoad);
  return {
    streams,
    sockets: connectionsFor(streams),
    outputsPerSecond: spread(({ outputs, seconds }) => outputs / seconds),
    firstOutputP50Us: spread(({ firstOutput }) => firstOutput?.p50Us ?? 0),
    firstOutputP99Us: spread(({ firstOutput }) => firstOutput?.p99Us ?? 0),
    generatorLoad,
    ...(refusal && { refusal }),
  };
}

/** @type {(runs: readonly SocketRun[], generatorLoad: Spread) => string | undefined} */
function refusalOf(runs, generatorLoad) {
  const failures = runs.reduce((sum, run) => sum + run.failures, 0);
  if (failures > 0) {
    return `${failures} streams failed: ${runs.map(({ failure }) => failure).find(Boolean)}`;
  }
  if (runs.some(({ firstOutput }) => !firstOutput)) return 'a round was too short for an output';
  if (generatorLoad.median >= generatorLimit) return 'the load generator was the bottleneck';
  return undefined;
}
