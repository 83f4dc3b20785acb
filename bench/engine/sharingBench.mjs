import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineModels, writeModel } from '../models/index.mjs';
import { runToEnd } from '../processes.mjs';
import { ratiosOf, spreadOf } from '../statistics.mjs';
import { buildCLoop, timeThroughput } from './cLoops.mjs';

/**
 * @typedef {import('../statistics.mjs').Spread} Spread
 * @typedef {import('./sharedSession.mjs').SharingCase} SharingCase
 * @typedef {import('./sharedSession.mjs').SharingFigures} SharingFigures
 *
 * @typedef {object} SharingPoint
 * @property {number} workers
 * @property {Spread} runsPerSecond of all workers
 * @property {Spread} timesOneWorker by the figure for one worker in the same round
 * @property {Spread} residentBytes of the process
 * @property {Spread} modelResidentBytes less what it held before the model was opened
 *
 * @typedef {object} SharingRunner
 * @property {string} name
 * @property {string} title
 * @property {SharingPoint[]} points
 * @property {string} [refusal] why there are none
 *
 * @typedef {{ model: string, title: string, modelBytes: number, runners: SharingRunner[] }} SharingResult
 */

const script = fileURLToPath(new URL('sharedSession.mjs', import.meta.url));

/** More than K workers take to open a model: who needs longer hangs. */
const startSeconds = 60;

/** @param {string} runtime */
const byNode = (runtime) => async (/** @type {SharingCase} */ sharingCase) =>
  /** @type {SharingFigures} */ (
    JSON.parse(
      await runToEnd(process.execPath, [script, runtime, JSON.stringify(sharingCase)], {
        timeoutSeconds: startSeconds + sharingCase.seconds,
      }),
    )
  );

/**
 * Runs models in 1 to K threads of one process at once: throughput and memory, with this package's shared
 * session, onnxruntime-node's session per worker, and threads in C.
 *
 * @param {import('../plans.mjs').EnginePlan['sharing']} plan
 * @param {string} folder for the models
 * @param {(line: string) => void} progress
 * @returns {Promise<SharingResult[]>}
 */
export async function benchSharing({ models, workers, rounds, seconds }, folder, progress) {
  const throughput = await buildCLoop('throughput', folder);
  const runners = [
    {
      name: 'cLoop',
      title: 'C threads, one session',
      run: async (/** @type {SharingCase} */ { workers: threads, ...rest }) =>
        timeThroughput(throughput, { ...rest, threads, output: `${rest.model}.throughput` }),
    },
    { name: 'cloudeasyml', title: 'CloudEasyML, one session', run: byNode('cloudeasyml') },
    {
      name: 'onnxruntimeNode',
      title: 'onnxruntime-node, a session per worker',
      run: byNode('onnxruntimeNode'),
    },
  ];
  const results = [];
  for (const model of engineModels.filter(({ name }) => models.includes(name))) {
    const { model: file, input } = writeModel(model, path.join(folder, 'models'));
    const dims = [model.rows, model.inputWidth];
    const measured = runners.map((runner) => ({
      ...runner,
      figures: /** @type {SharingFigures[][]} */ (workers.map(() => [])),
      refusal: /** @type {string | undefined} */ (undefined),
    }));
    for (let round = 1; round <= rounds; round++) {
      progress(`engine, shared by workers, round ${round} of ${rounds}: ${model.title}`);
      for (const [index, count] of workers.entries()) {
        for (const runner of measured) {
          if (runner.refusal) continue;
          try {
            const sharingCase = { model: file, input, dims, workers: count, seconds };
            runner.figures[index]?.push(await runner.run(sharingCase));
          } catch (error) {
            if (runner.name !== 'onnxruntimeNode') throw error;
            runner.refusal = `with ${count} workers: ${/** @type {Error} */ (error).message}`;
          }
        }
      }
    }
    results.push({
      model: model.name,
      title: model.title,
      modelBytes: statSync(file).size,
      runners: measured.map(({ name, title, figures, refusal }) => ({
        name,
        title,
        points: refusal ? [] : workers.map((count, index) => pointOf(count, index, figures)),
        ...(refusal && { refusal }),
      })),
    });
  }
  return results;
}

/** @type {(workers: number, index: number, figures: readonly SharingFigures[][]) => SharingPoint} */
function pointOf(workers, index, figures) {
  const rates = figures.map((rounds) => rounds.map(({ runs, seconds }) => runs / seconds));
  const rounds = figures[index] ?? [];
  return {
    workers,
    runsPerSecond: spreadOf(rates[index] ?? []),
    timesOneWorker: ratiosOf(rates[index] ?? [], rates[0] ?? []),
    residentBytes: spreadOf(rounds.map(({ resident }) => resident)),
    modelResidentBytes: spreadOf(
      rounds.map(({ resident, residentBefore }) => resident - residentBefore),
    ),
  };
}
