import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GraphBuilder } from 'cloudeasyml/onnx';
import { denseAnswer, denseModel, randomDenseNetwork } from './denseNetwork.mjs';
import { seededRandom } from './random.mjs';
import { writeTensorFile } from './tensorFile.mjs';

/**
 * A model with one float32 input [batch, inputWidth] called `input` and one float32 output called
 * `output`, a row for each of the input's.
 *
 * @typedef {object} BenchModel
 * @property {string} name a file's and a plugin's name
 * @property {string} title as tables show it
 * @property {number} rows of one call in the engine's part
 * @property {number} inputWidth
 * @property {number} outputWidth
 * @property {() => Uint8Array} build writes the .onnx file's bytes
 * @property {(row: ArrayLike<number>) => number[]} answer what the model makes of a row
 */

/** @type {(name: string, title: string, rows: number, widths: readonly number[]) => BenchModel} */
function dense(name, title, rows, widths) {
  /** @type {import('./denseNetwork.mjs').DenseNetwork | undefined} */
  let made;
  const network = () => {
    made ??= randomDenseNetwork(widths, 20_260_101);
    return made;
  };
  return {
    name,
    title,
    rows,
    inputWidth: widths[0] ?? 0,
    outputWidth: widths.at(-1) ?? 0,
    build: () => denseModel(name, network()),
    answer: (row) => denseAnswer(network(), row),
  };
}

/** @type {(name: string, title: string, width: number) => BenchModel} */
function identity(name, title, width) {
  return {
    name,
    title,
    rows: 1,
    inputWidth: width,
    outputWidth: width,
    build: () => {
      const graph = new GraphBuilder(name);
      const input = graph.input('input', 'float32', ['batch', width]);
      graph.node('Identity', [input], { outputs: ['output'] });
      graph.output('output', 'float32', ['batch', width]);
      return graph.toModel();
    },
    answer: (row) => Array.from(row),
  };
}

export const softmax = dense('softmax', '4→3 softmax', 1, [4, 3]);
export const mlp = dense('mlp', 'MLP 784-512-512-10', 1, [784, 512, 512, 10]);
const widths1ms = [512, 512, 512, 512];
const widths10ms = Array.from({ length: 9 }, () => 1024);

/** @type {readonly BenchModel[]} */
export const engineModels = [
  softmax,
  mlp,
  identity('identity', '128 KB identity', 32_768),
  dense('dense1ms', 'about 1 ms (3 × 512², 128 rows)', 128, widths1ms),
  dense('dense10ms', 'about 10 ms (8 × 1024², 128 rows)', 128, widths10ms),
];

/** @type {readonly BenchModel[]} */
export const servedModels = [softmax, mlp];

/**
 * Rows of numbers with four decimals, as a client would send measurements or pixels.
 *
 * @param {BenchModel} model
 * @param {number} rows
 * @param {number} seed
 * @returns {number[][]} [rows, inputWidth]
 */
export function sampleRows({ inputWidth }, rows, seed) {
  const random = seededRandom(seed);
  return Array.from({ length: rows }, () =>
    Array.from({ length: inputWidth }, () => Math.floor(random() * 10_000) / 10_000),
  );
}

/**
 * Where a model and what it is called with lie.
 *
 * @typedef {object} ModelFiles
 * @property {string} model the .onnx file
 * @property {string} input a tensor file, float32 [rows, inputWidth]
 * @property {string} expected the same, the answer to the first row
 */

/**
 * @param {BenchModel} model
 * @param {string} folder made where it is missing
 * @returns {ModelFiles}
 */
export function writeModel(model, folder) {
  mkdirSync(folder, { recursive: true });
  const rows = sampleRows(model, model.rows, 7);
  const files = {
    model: path.join(folder, `${model.name}.onnx`),
    input: path.join(folder, `${model.name}.input`),
    expected: path.join(folder, `${model.name}.expected`),
  };
  if (existsSync(files.model)) return files;
  writeFileSync(files.model, model.build());
  writeTensorFile(files.input, Float32Array.from(rows.flat()));
  writeTensorFile(files.expected, Float32Array.from(model.answer(rows[0] ?? [])));
  return files;
}
