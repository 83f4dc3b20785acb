import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectSame } from '../answers.mjs';
import { engineModels, writeModel } from '../models/index.mjs';
import { readTensorFile } from '../models/tensorFile.mjs';
import { runToEnd } from '../processes.mjs';
import { differencesOf, ratiosOf, spreadOf } from '../statistics.mjs';
import { buildCLoop, timeFloor } from './cLoops.mjs';

/**
 * A model and a call of it. The model has one input called `input` and one output called `output`, both of
 * one element type.
 *
 * @typedef {object} EngineCase
 * @property {string} model the .onnx file
 * @property {import('../models/tensorFile.mjs').ElementType} type
 * @property {readonly number[]} dims of the input
 * @property {readonly number[]} outputDims
 * @property {string} input a tensor file
 * @property {string} expected a tensor file: the output, or its beginning
 * @property {number} seconds for each way of calling
 *
 * Microseconds per call where the output's memory is the runtime's, and where it is the caller's; or why
 * the runtime can't.
 * @typedef {{ allocated?: number, owned?: number,
 *   refusals: { allocated?: string, owned?: string } }} CallTimes
 *
 * @typedef {import('../statistics.mjs').Spread} Spread
 *
 * @typedef {object} CaseFigures what the rounds of a case gave
 * @property {'allocated' | 'owned'} outputs whose memory the outputs are
 * @property {Spread} cLoopUs microseconds per call
 * @property {Spread} cloudeasymlUs
 * @property {Spread} overCLoopUs this package's call less the C loop's, microseconds
 * @property {Spread} [onnxruntimeNodeUs]
 * @property {Spread} [timesAsFast] as onnxruntime-node
 * @property {string} [refusal] why there is no figure of onnxruntime-node's
 *
 * @typedef {{ model: string, title: string, onnxruntimeNodeUs: Spread, timesAsFast: Spread } &
 *   CaseFigures} EngineResult
 */

const script = fileURLToPath(new URL('timeCalls.mjs', import.meta.url));

/**
 * Times calls of every engine model: this package's, onnxruntime-node's and a C loop's, each in a
 * process of its own, on one thread, in turn.
 *
 * @param {import('../plans.mjs').EnginePlan['calls']} plan
 * @param {string} folder for the models
 * @param {(line: string) => void} progress
 * @returns {Promise<EngineResult[]>}
 */
export async function benchCalls({ models, rounds, secondsPerCase }, folder, progress) {
  const chosen = engineModels.filter(({ name }) => !models || models.includes(name));
  const results = [];
  const cases = chosen.map((model) => {
    const files = writeModel(model, path.join(folder, 'models'));
    return {
      model,
      engineCase: /** @type {EngineCase} */ ({
        ...files,
        type: 'float32',
        dims: [model.rows, model.inputWidth],
        outputDims: [model.rows, model.outputWidth],
        seconds: secondsPerCase,
      }),
      times: /** @type {RoundTimes[]} */ ([]),
    };
  });
  for (let round = 1; round <= rounds; round++) {
    for (const { model, engineCase, times } of cases) {
      progress(`engine, round ${round} of ${rounds}: ${model.title}`);
      const [roundTimes] = await timeRound([engineCase], folder);
      if (roundTimes) times.push(roundTimes);
    }
  }
  for (const { model, times } of cases) {
    for (const figures of figuresOf(times)) {
      const { onnxruntimeNodeUs, timesAsFast, refusal } = figures;
      if (!onnxruntimeNodeUs || !timesAsFast) {
        throw new Error(`onnxruntime-node can't run ${model.title}: ${refusal}`);
      }
      const named = { model: model.name, title: model.title };
      results.push({ ...named, ...figures, onnxruntimeNodeUs, timesAsFast });
    }
  }
  return results;
}

/** @typedef {{ cLoop: CallTimes, cloudeasyml: CallTimes, onnxruntimeNode: CallTimes }} RoundTimes */

/**
 * Times the cases once: all of them by the C loop, then all by this package, then all by onnxruntime-node.
 *
 * @param {readonly EngineCase[]} cases
 * @param {string} folder
 * @returns {Promise<RoundTimes[]>} one a case
 * @throws Error where the C loop or this package fails a case
 */
export async function timeRound(cases, folder) {
  const floor = await buildCLoop('floor', folder);
  /** @type {CallTimes[]} */
  const cLoop = [];
  for (const { type, expected, ...rest } of cases) {
    const output = `${rest.model}.floor`;
    cLoop.push({ ...(await timeFloor(floor, { type, ...rest, output })), refusals: {} });
    expectSame(readTensorFile(type, output), readTensorFile(type, expected), 'The C loop');
  }
  const cloudeasyml = await timeScript('cloudeasyml', cases);
  const refused = cloudeasyml.find(({ refusals }) => refusals.allocated);
  if (refused) throw new Error(`CloudEasyML can't be timed: ${refused.refusals.allocated}`);
  const onnxruntimeNode = await timeScript('onnxruntimeNode', cases);
  const none = { refusals: {} };
  return cases.map((_, index) => ({
    cLoop: cLoop[index] ?? none,
    cloudeasyml: cloudeasyml[index] ?? none,
    onnxruntimeNode: onnxruntimeNode[index] ?? none,
  }));
}

/** @type {(runtime: string, cases: readonly EngineCase[]) => Promise<CallTimes[]>} */
async function timeScript(runtime, cases) {
  const args = [script, runtime, JSON.stringify(cases)];
  const output = await runToEnd(process.execPath, args);
  return JSON.parse(output.slice(output.lastIndexOf('\n', output.length - 2) + 1));
}

/**
 * @param {readonly RoundTimes[]} rounds of one case
 * @returns {CaseFigures[]} one for each way of calling that this package has
 */
export function figuresOf(rounds) {
  const ways = /** @type {('allocated' | 'owned')[]} */ (['allocated', 'owned']);
  return ways.flatMap((outputs) => figuresOfWay(rounds, outputs) ?? []);
}

/**
 * @param {readonly RoundTimes[]} rounds
 * @param {'allocated' | 'owned'} outputs
 * @returns {CaseFigures | undefined}
 */
function figuresOfWay(rounds, outputs) {
  const timesOf = (/** @type {keyof RoundTimes} */ runtime) =>
    rounds.flatMap((round) => round[runtime][outputs] ?? []);
  const floorUs = timesOf('cLoop');
  const ownUs = timesOf('cloudeasyml');
  const peerUs = timesOf('onnxruntimeNode');
  if (ownUs.length === 0) return undefined;
  const figures = {
    outputs,
    cLoopUs: spreadOf(floorUs),
    cloudeasymlUs: spreadOf(ownUs),
    overCLoopUs: differencesOf(ownUs, floorUs),
  };
  const refusal = rounds.map((round) => round.onnxruntimeNode.refusals[outputs]).find(Boolean);
  if (refusal) return { ...figures, refusal };
  const timesAsFast = ratiosOf(peerUs, ownUs);
  return { ...figures, onnxruntimeNodeUs: spreadOf(peerUs), timesAsFast };
}
