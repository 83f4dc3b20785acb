import { GraphBuilder } from 'cloudeasyml/onnx';
import { seededRandom } from './random.mjs';

/**
 * Fully connected layers with ReLU between them and a softmax at the end.
 *
 * @typedef {object} DenseNetwork
 * @property {readonly number[]} widths of the input and of each layer's output
 * @property {Float32Array[]} weights [inputs, outputs] of each layer, row-major
 * @property {Float32Array[]} biases [outputs] of each layer
 */

/**
 * Weights are uniform in ±√(6 / inputs) (He et al., 2015), so that signals neither vanish nor explode.
 *
 * @param {readonly number[]} widths
 * @param {number} seed
 * @returns {DenseNetwork}
 */
export function randomDenseNetwork(widths, seed) {
  const random = seededRandom(seed);
  const weights = [];
  const biases = [];
  for (let layer = 1; layer < widths.length; layer++) {
    const inputs = /** @type {number} */ (widths[layer - 1]);
    const outputs = /** @type {number} */ (widths[layer]);
    const bound = Math.sqrt(6 / inputs);
    const next = () => (random() * 2 - 1) * bound;
    weights.push(Float32Array.from({ length: inputs * outputs }, next));
    biases.push(Float32Array.from({ length: outputs }, next));
  }
  return { widths, weights, biases };
}

/**
 * @param {string} name
 * @param {DenseNetwork} network
 * @returns {Uint8Array} a .onnx file: `input` [batch, first width] → `output` [batch, last width]
 */
export function denseModel(name, { widths, weights, biases }) {
  const graph = new GraphBuilder(name);
  let value = graph.input('input', 'float32', ['batch', widths[0] ?? 0]);
  weights.forEach((layerWeights, layer) => {
    const inputs = widths[layer] ?? 0;
    const outputs = widths[layer + 1] ?? 0;
    const w = graph.constant(`weights${layer}`, 'float32', [inputs, outputs], layerWeights);
    const b = graph.constant(`biases${layer}`, 'float32', [outputs], biases[layer] ?? []);
    value = graph.node('Gemm', [value, w, b]);
    if (layer < weights.length - 1) value = graph.node('Relu', [value]);
  });
  graph.node('Softmax', [value], { attributes: { axis: -1n }, outputs: ['output'] });
  graph.output('output', 'float32', ['batch', widths.at(-1) ?? 0]);
  return graph.toModel();
}

/**
 * The network's answer by plain arithmetic, for every other way of computing it to be held to.
 *
 * @param {DenseNetwork} network
 * @param {ArrayLike<number>} row of the first width
 * @returns {number[]} of the last width
 */
export function denseAnswer({ widths, weights, biases }, row) {
  let values = Array.from(row);
  weights.forEach((layerWeights, layer) => {
    const outputs = widths[layer + 1] ?? 0;
    const sums = Array.from(biases[layer] ?? []);
    values.forEach((value, input) => {
      for (let output = 0; output < outputs; output++) {
        sums[output] = (sums[output] ?? 0) + value * (layerWeights[input * outputs + output] ?? 0);
      }
    });
    values = layer < weights.length - 1 ? sums.map((sum) => Math.max(sum, 0)) : sums;
  });
  const largest = Math.max(...values);
  const exponentials = values.map((value) => Math.exp(value - largest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}
