import { GraphBuilder } from 'cloudeasyml/onnx';
import { seededRandom } from './random.mjs';

const imageSize = 224;
const channels = 3;
const classes = 1000;
/** Blocks and inner channels of each stage of ResNet-50 (He et al., 2016, table 1). */
const stages = /** @type {const} */ ([
  [3, 64],
  [4, 128],
  [6, 256],
  [3, 512],
]);
const expansion = 4;
/** What a block adds to its input is scaled down, so that sixteen additions don't overflow. */
const residualGain = 0.25;

/**
 * @typedef {object} FeatureMap
 * @property {string} name of the graph's value
 * @property {number} channels
 * @property {number} size its height and width
 */

/** Writes convolutions and counts what they cost. */
class ResidualWriter {
  multiplyAdds = 0;
  #random = seededRandom(20_260_102);
  #constants = 0;

  /** @param {GraphBuilder} graph */
  constructor(graph) {
    this.graph = graph;
  }

  /** Weights uniform in ±gain·√(6 / inputs), biases 0. @type {(dims: number[], inputs: number, gain?: number) => string} */
  weights(dims, inputs, gain = 1) {
    const bound = gain * Math.sqrt(6 / inputs);
    const data = new Float32Array(dims.reduce((product, size) => product * size, 1));
    for (let i = 0; i < data.length; i++) data[i] = (this.#random() * 2 - 1) * bound;
    return this.graph.constant(`weights${this.#constants++}`, 'float32', dims, data);
  }

  /** @type {(outputs: number) => string} */
  zeros(outputs) {
    const name = `biases${this.#constants++}`;
    return this.graph.constant(name, 'float32', [outputs], new Float32Array(outputs));
  }

  /**
   * A convolution with batch normalisation folded into its weights, as exporters leave it.
   *
   * @param {FeatureMap} input
   * @param {{ outputs: number, kernel: number, stride?: number, gain?: number }} layer
   * @returns {FeatureMap}
   */
  convolution(input, { outputs, kernel, stride = 1, gain = 1 }) {
    const inputs = input.channels * kernel * kernel;
    const w = this.weights([outputs, input.channels, kernel, kernel], inputs, gain);
    const padding = BigInt(kernel >> 1);
    const name = this.graph.node('Conv', [input.name, w, this.zeros(outputs)], {
      attributes: {
        kernel_shape: [BigInt(kernel), BigInt(kernel)],
        strides: [BigInt(stride), BigInt(stride)],
        pads: [padding, padding, padding, padding],
      },
    });
    const size = Math.ceil(input.size / stride);
    this.multiplyAdds += size * size * outputs * inputs;
    return { name, channels: outputs, size };
  }

  /** @type {(map: FeatureMap) => FeatureMap} */
  relu(map) {
    return { ...map, name: this.graph.node('Relu', [map.name]) };
  }

  /**
   * A bottleneck: 1×1, 3×3 (which carries the stride), 1×1, added to the block's input.
   *
   * @param {FeatureMap} input
   * @param {number} inner
   * @param {number} stride
   */
  bottleneck(input, inner, stride) {
    const outputs = inner * expansion;
    const reduced = this.relu(this.convolution(input, { outputs: inner, kernel: 1 }));
    const middle = this.relu(this.convolution(reduced, { outputs: inner, kernel: 3, stride }));
    const added = this.convolution(middle, { outputs, kernel: 1, gain: residualGain });
    const shortcut =
      input.channels === outputs && stride === 1
        ? input
        : this.convolution(input, { outputs, kernel: 1, stride, gain: Math.SQRT1_2 });
    const name = this.graph.node('Add', [added.name, shortcut.name]);
    return this.relu({ ...added, name });
  }
}

/** Width of a row: an image's channels, rows and columns, flat. */
export const pixels = channels * imageSize * imageSize;

/**
 * ResNet-50's layers (the variant whose 3×3 convolutions carry the strides) with random weights: the cost
 * is the same, 4.09 billion multiply-adds per image, and the answers mean nothing.
 *
 * `input` [batch, 150528] holds pixels from 0 to 255; `output` [batch, 1000] holds probabilities.
 *
 * @param {string} name
 * @returns {{ model: Uint8Array, multiplyAdds: number }} a .onnx file and its cost per image
 */
export function residualNetwork(name) {
  const graph = new GraphBuilder(name);
  const writer = new ResidualWriter(graph);
  const rows = graph.input('input', 'float32', ['batch', pixels]);
  const size = BigInt(imageSize);
  const shape = graph.constant('imageShape', 'int64', [4], [-1n, BigInt(channels), size, size]);
  const image = graph.node('Reshape', [rows, shape]);
  const middle = graph.constant('middle', 'float32', [], [127.5]);
  const centred = graph.node('Sub', [image, middle]);
  /** @type {FeatureMap} */
  let map = { name: graph.node('Div', [centred, middle]), channels, size: imageSize };
  map = writer.relu(writer.convolution(map, { outputs: 64, kernel: 7, stride: 2 }));
  const pooled = graph.node('MaxPool', [map.name], {
    attributes: { kernel_shape: [3n, 3n], strides: [2n, 2n], pads: [1n, 1n, 1n, 1n] },
  });
  map = { name: pooled, channels: map.channels, size: map.size / 2 };
  stages.forEach(([blocks, inner], stage) => {
    for (let block = 0; block < blocks; block++) {
      map = writer.bottleneck(map, inner, stage > 0 && block === 0 ? 2 : 1);
    }
  });
  const averaged = graph.node('GlobalAveragePool', [map.name]);
  const features = graph.node('Flatten', [averaged]);
  const w = writer.weights([map.channels, classes], map.channels);
  writer.multiplyAdds += map.channels * classes;
  const logits = graph.node('Gemm', [features, w, writer.zeros(classes)]);
  graph.node('Softmax', [logits], { attributes: { axis: -1n }, outputs: ['output'] });
  graph.output('output', 'float32', ['batch', classes]);
  return { model: graph.toModel(), multiplyAdds: writer.multiplyAdds };
}
