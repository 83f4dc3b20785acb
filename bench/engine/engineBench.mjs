import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runtimeInfo } from 'cloudeasyml';
import { engineModels, writeModel } from '../models/index.mjs';
import { runToEnd } from '../processes.mjs';
import { differencesOf, ratiosOf, spreadOf } from '../statistics.mjs';
import { buildFloor, timeFloor } from './floor.mjs';

/**
 * What a timing process is told.
 *
 * @typedef {object} EngineCase
 * @property {import('../models/index.mjs').ModelFiles} files
 * @property {readonly number[]} dims of the input
 * @property {number} seconds for each way of calling
 *
 * Microseconds per call where the output's memory is the runtime's, and where it is the caller's.
 * @typedef {{ allocated: number, owned: number }} CallTimes
 *
 * @typedef {import('../statistics.mjs').Spread} Spread
 *
 * @typedef {object} EngineResult
 * @property {string} model
 * @property {string} title
 * @property {'allocated' | 'owned'} outputs whose memory the outputs are
 * @property {Spread} cLoopUs microseconds per call
 * @property {Spread} cloudeasymlUs
 * @property {Spread} onnxruntimeNodeUs
 * @property {Spread} overCLoopUs this package's call less the C loop's, microseconds
 * @property {Spread} timesAsFast as onnxruntime-node
 */

/** @param {string} name */
const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Times calls of every engine model: this package's, onnxruntime-node's and a C loop's, each in a
 * process of its own, on one thread, in turn.
 *
 * @param {import('../options.mjs').Plan['engine']} plan
 * @param {string} folder for the models
 * @param {(line: string) => void} progress
 * @returns {Promise<EngineResult[]>}
 */
export async function benchEngine({ rounds, secondsPerCase }, folder, progress) {
  progress('compiling the C loop');
  const floor = await buildFloor(folder);
  const { library } = runtimeInfo();
  const cases = engineModels.map((model) => ({
    model,
    engineCase: {
      files: writeModel(model, path.join(folder, 'models')),
      dims: [model.rows, model.inputWidth],
      seconds: secondsPerCase,
    },
    cLoop: /** @type {CallTimes[]} */ ([]),
    cloudeasyml: /** @type {CallTimes[]} */ ([]),
    onnxruntimeNode: /** @type {CallTimes[]} */ ([]),
  }));
  for (let round = 1; round <= rounds; round++) {
    for (const { model, engineCase, cLoop, cloudeasyml, onnxruntimeNode } of cases) {
      progress(`engine, round ${round} of ${rounds}: ${model.title}`);
      cLoop.push(await timeFloor(floor, library, engineCase));
      cloudeasyml.push(await timeScript('cloudeasyml.mjs', engineCase));
      onnxruntimeNode.push(await timeScript('onnxruntimeNode.mjs', engineCase));
    }
  }
  return cases.flatMap(({ model, cLoop, cloudeasyml, onnxruntimeNode }) =>
    /** @type {const} */ (['allocated', 'owned']).map((outputs) => {
      const [floorUs, ownUs, peerUs] = /** @type {[number[], number[], number[]]} */ (
        [cLoop, cloudeasyml, onnxruntimeNode].map((times) => times.map((time) => time[outputs]))
      );
      return {
        model: model.name,
        title: model.title,
        outputs,
        cLoopUs: spreadOf(floorUs),
        cloudeasymlUs: spreadOf(ownUs),
        onnxruntimeNodeUs: spreadOf(peerUs),
        overCLoopUs: differencesOf(ownUs, floorUs),
        timesAsFast: ratiosOf(peerUs, ownUs),
      };
    }),
  );
}

/**
 * @param {string} name
 * @param {EngineCase} engineCase
 * @returns {Promise<CallTimes>}
 */
async function timeScript(name, engineCase) {
  return JSON.parse(await runToEnd(process.execPath, [script(name), JSON.stringify(engineCase)]));
}
