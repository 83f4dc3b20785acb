import { GraphBuilder } from 'cloudeasyml/onnx';
import { seededRandom } from './random.mjs';

/** Numbers that a state has. */
export const stateSize = 256;

/**
 * Below 1 the states' differences die out, and rounding errors with them: answers can be compared after any
 * number of steps.
 */
const spectralRadius = 0.95;

/** Uniform weights whose matrix has about that spectral radius. */
function parameters() {
  const random = seededRandom(20_260_103);
  const bound = spectralRadius * Math.sqrt(3 / stateSize);
  const next = () => (random() * 2 - 1) * bound;
  return {
    weights: Float32Array.from({ length: stateSize * stateSize }, next),
    biases: Float32Array.from({ length: stateSize }, next),
  };
}

/**
 * One step of a recurrent layer.
 *
 * @returns {Uint8Array} a .onnx file: `state` [batch, 256] → `next` [batch, 256]
 */
export function recurrentStepModel() {
  const { weights, biases } = parameters();
  const graph = new GraphBuilder('recurrentStep');
  const state = graph.input('state', 'float32', ['batch', stateSize]);
  const w = graph.constant('weights', 'float32', [stateSize, stateSize], weights);
  const b = graph.constant('biases', 'float32', [stateSize], biases);
  graph.node('Tanh', [graph.node('Gemm', [state, w, b])], { outputs: ['next'] });
  graph.output('next', 'float32', ['batch', stateSize]);
  return graph.toModel();
}

/**
 * What the model makes of a state by plain arithmetic.
 *
 * @param {number} start what each number of the first state is
 * @param {number} steps
 * @returns {number[][]} the state after each step
 */
export function recurrentStates(start, steps) {
  const { weights, biases } = parameters();
  let state = Array.from({ length: stateSize }, () => start);
  return Array.from({ length: steps }, () => {
    const sums = Array.from(biases);
    state.forEach((value, input) => {
      for (let output = 0; output < stateSize; output++) {
        sums[output] = (sums[output] ?? 0) + value * (weights[input * stateSize + output] ?? 0);
      }
    });
    state = sums.map(Math.tanh);
    return state;
  });
}
