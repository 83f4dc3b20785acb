import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectSame } from '../../answers.mjs';
import { recurrentStates, recurrentStepModel } from '../../models/recurrentStep.mjs';

/**
 * What a stream is asked for.
 *
 * @typedef {object} StreamWorkload
 * @property {string} name
 * @property {string} title as tables show it
 * @property {string} plugin its name
 * @property {string} plugins the folder that holds it
 * @property {object} [config] of the deployment
 * @property {unknown} data of a stream's one input
 * @property {object} options
 * @property {(outputs: any[], predict: () => Promise<any>) => Promise<void>} check throws where the outputs
 *   are wrong; `predict` asks for the same without a stream
 */

const benchPlugins = fileURLToPath(new URL('../../plugins', import.meta.url));
const bundledPlugins = fileURLToPath(new URL('../../../plugins', import.meta.url));

/**
 * @param {string} folder for models
 * @param {number} outputs of a stream
 * @returns {StreamWorkload[]}
 */
export function streamWorkloads(folder, outputs) {
  const all = [steps(folder, outputs)];
  if (existsSync(path.join(bundledPlugins, 'textGeneration'))) all.push(textGeneration(outputs));
  return all;
}

/** @type {(folder: string, outputs: number) => StreamWorkload} */
function steps(folder, outputs) {
  const model = path.join(folder, 'recurrentStep.onnx');
  writeFileSync(model, recurrentStepModel());
  const start = 0.5;
  return {
    name: 'steps',
    title: 'steps of a 256×256 recurrent layer',
    plugin: 'steps',
    plugins: benchPlugins,
    config: { model },
    data: start,
    options: { steps: outputs },
    check: async (found) => {
      if (found.length !== outputs) {
        throw new Error(`A stream had ${found.length} outputs where ${outputs} were asked for.`);
      }
      for (const [step, state] of recurrentStates(start, outputs).entries()) {
        expectSame(found[step], state.slice(0, found[step].length), `Output ${step} of a stream`);
      }
    },
  };
}

/** @type {(outputs: number) => StreamWorkload} */
function textGeneration(outputs) {
  return {
    name: 'textGeneration',
    title: 'textGeneration',
    plugin: 'textGeneration',
    plugins: bundledPlugins,
    data: 'The people of the United States',
    // The likeliest token each time: all streams have the same work.
    options: { maxLength: outputs, temperature: 0 },
    check: async (found, predict) => {
      const streamed = found.map(({ text }) => text).join('');
      const [whole] = await predict();
      if (streamed !== whole?.text || !/\w/.test(streamed)) {
        throw new Error(`A stream gave "${streamed}" where a request got "${whole?.text}".`);
      }
    },
  };
}
