/** Models without code whose answers a test can work out by itself. */
import { GraphBuilder } from 'cloudeasyml/onnx';

/** a, b: [batch, length] → sum = a + b: [batch, length], total of each row: [batch]. */
export function addingPairs(): Uint8Array {
  const graph = new GraphBuilder('addingPairs');
  const a = graph.input('a', 'float32', ['batch', 'length']);
  const b = graph.input('b', 'float32', ['batch', 'length']);
  graph.node('Add', [a, b], { outputs: ['sum'] });
  const axis = graph.constant('axis', 'int64', [1], [1n]);
  graph.node('ReduceSum', ['sum', axis], { outputs: ['total'], attributes: { keepdims: 0n } });
  graph.output('sum', 'float32', ['batch', 'length']);
  graph.output('total', 'float32', ['batch']);
  return graph.toModel();
}

/** x: [batch, 2], factor: [] → y = x · factor: [batch, 2]. */
export function scaling(): Uint8Array {
  const graph = new GraphBuilder('scaling');
  const x = graph.input('x', 'float32', ['batch', 2]);
  const factor = graph.input('factor', 'float32', []);
  graph.node('Mul', [x, factor], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 2]);
  return graph.toModel();
}

export const knownWords = ['zero', 'one', 'two', 'three', 'four', 'füñf', '六'];

/** words: [batch, length] → echo: [batch, length], index among the known words, −1 for others. */
export function wordIndex(): Uint8Array {
  const graph = new GraphBuilder('wordIndex');
  const words = graph.input('words', 'string', ['batch', 'length']);
  graph.node('Identity', [words], { outputs: ['echo'] });
  graph.node('LabelEncoder', [words], {
    domain: 'ai.onnx.ml',
    outputs: ['index'],
    attributes: {
      keys_strings: knownWords,
      values_int64s: knownWords.map((_, index) => BigInt(index)),
      default_int64: -1n,
    },
  });
  graph.output('echo', 'string', ['batch', 'length']);
  graph.output('index', 'int64', ['batch', 'length']);
  return graph.toModel();
}

/** x: int64 [batch, 2] → y = x + 1: [batch, 2]. */
export function countingUp(): Uint8Array {
  const graph = new GraphBuilder('countingUp');
  const x = graph.input('x', 'int64', ['batch', 2]);
  const one = graph.constant('one', 'int64', [], [1n]);
  graph.node('Add', [x, one], { outputs: ['y'] });
  graph.output('y', 'int64', ['batch', 2]);
  return graph.toModel();
}

/** x: [4, 3], always four rows → y = 2x. */
export function doublingFours(): Uint8Array {
  const graph = new GraphBuilder('doublingFours');
  const x = graph.input('x', 'float32', [4, 3]);
  graph.node('Add', [x, x], { outputs: ['y'] });
  graph.output('y', 'float32', [4, 3]);
  return graph.toModel();
}

/**
 * x: [batch, size] → y = x · weights: [batch, 1], of the sums over `size` columns of random weights; the
 * weights take 4 · size² bytes.
 */
export function randomWeights(size: number): Uint8Array {
  const weights = new Float32Array(size * size);
  // A linear congruential generator: weights that are all alike could be stored as one.
  let state = 1;
  for (let i = 0; i < weights.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    weights[i] = state / 2 ** 32 - 0.5;
  }
  const graph = new GraphBuilder('randomWeights');
  const x = graph.input('x', 'float32', ['batch', size]);
  const product = graph.node('MatMul', [
    x,
    graph.constant('weights', 'float32', [size, size], weights),
  ]);
  const axis = graph.constant('axis', 'int64', [1], [1n]);
  graph.node('ReduceSum', [product, axis], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 1]);
  return graph.toModel();
}

/**
 * x: [batch] → y = x: [batch], rows of the batch that the row was in: [batch]. Its work is products of
 * matrices with `side` rows and columns: one for the whole batch, or one for each pair of its rows.
 */
export function batchObserver(workFor: 'batch' | 'pairs', side: number): Uint8Array {
  const graph = new GraphBuilder('batchObserver');
  const x = graph.input('x', 'float32', ['batch']);
  const rows = graph.node('Shape', [x]);
  const one = graph.constant('one', 'int64', [1], [1n]);
  const [down, across] = workFor === 'pairs' ? [rows, rows] : [one, one];
  const square = graph.constant('square', 'int64', [2], [BigInt(side), BigInt(side)]);
  const shape = graph.node('Concat', [down, across, square], { attributes: { axis: 0n } });
  const matrices = graph.node('Expand', [graph.node('ReduceSum', [x]), shape]);
  // Nothing is left of the work but that it was done.
  const nothing = graph.node('Mul', [
    graph.node('ReduceSum', [graph.node('MatMul', [matrices, matrices])], {
      attributes: { keepdims: 0n },
    }),
    graph.constant('zero', 'float32', [], [0]),
  ]);
  graph.node('Add', [x, nothing], { outputs: ['y'] });
  graph.node('Expand', [rows, rows], { outputs: ['rows'] });
  graph.output('y', 'float32', ['batch']);
  graph.output('rows', 'int64', ['batch']);
  return graph.toModel();
}

/**
 * x: [batch] → y: [batch], for each x above 1e30 the rows of the batch that it was in, else 0. A trial with
 * ordinary numbers sees nothing of it.
 */
export function secretObserver(): Uint8Array {
  const graph = new GraphBuilder('secretObserver');
  const x = graph.input('x', 'float32', ['batch']);
  const asked = graph.node('Greater', [x, graph.constant('limit', 'float32', [], [1e30])]);
  const rows = graph.node('Shape', [x]);
  const zero = graph.constant('zero', 'int64', [], [0n]);
  graph.node('Where', [asked, rows, zero], { outputs: ['y'] });
  graph.output('y', 'int64', ['batch']);
  return graph.toModel();
}

/** x: [?, 2] → those of its rows that begin with less than 1e30: [?, 2]. Ordinary numbers all stay. */
export function rowsBelowLimit(): Uint8Array {
  const graph = new GraphBuilder('rowsBelowLimit');
  const x = graph.input('x', 'float32', [null, 2]);
  const first = graph.constant('first', 'int64', [], [0n]);
  const begins = graph.node('Gather', [x, first], { attributes: { axis: 1n } });
  const below = graph.node('Less', [begins, graph.constant('limit', 'float32', [], [1e30])]);
  graph.node('Compress', [x, below], { outputs: ['y'], attributes: { axis: 0n } });
  graph.output('y', 'float32', [null, 2]);
  return graph.toModel();
}

/** x: [batch, 2] → y = x and a little noise, another one each time: [batch, 2]. */
export function noisy(): Uint8Array {
  const graph = new GraphBuilder('noisy');
  const x = graph.input('x', 'float32', ['batch', 2]);
  const noise = graph.node('RandomNormalLike', [x], { attributes: { mean: 0, scale: 0.001 } });
  graph.node('Add', [x, noise], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 2]);
  return graph.toModel();
}

/** count: int64 [] → y: [count], 0.1234567 each: as large an answer as the request likes. */
export function repeating(): Uint8Array {
  const graph = new GraphBuilder('repeating');
  const count = graph.input('count', 'int64', []);
  const one = graph.constant('one', 'int64', [1], [1n]);
  const value = { type: 'float32' as const, dims: [1], data: [0.1234567] };
  graph.node('ConstantOfShape', [graph.node('Reshape', [count, one])], {
    outputs: ['y'],
    attributes: { value },
  });
  graph.output('y', 'float32', [null]);
  return graph.toModel();
}

/** x: [batch, 1] → y: [batch, 1000], x in every column. */
export function widening(): Uint8Array {
  const graph = new GraphBuilder('widening');
  const x = graph.input('x', 'float32', ['batch', 1]);
  const ones = graph.constant('ones', 'float32', [1, 1000], new Float32Array(1000).fill(1));
  graph.node('Mul', [x, ones], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 1000]);
  return graph.toModel();
}

/** x: [batch, 1], steps: int64 [] → y = x + steps, one by one: as long a run as the request likes. */
export function steppingUp(): Uint8Array {
  const graph = new GraphBuilder('steppingUp');
  const x = graph.input('x', 'float32', ['batch', 1]);
  const steps = graph.input('steps', 'int64', []);
  graph.node('Loop', [steps, '', x], { outputs: ['y'], attributes: { body: addingOne(graph) } });
  graph.output('y', 'float32', ['batch', 1]);
  return graph.toModel();
}

/** x: [1, 1], always one row → y = x, counted up to in a loop. */
export function countingOne(): Uint8Array {
  const graph = new GraphBuilder('countingOne');
  const x = graph.input('x', 'float32', [1, 1]);
  const steps = graph.node('Cast', [x], { attributes: { to: 7n } });
  const zero = graph.constant('zero', 'float32', [1, 1], [0]);
  const attributes = { body: addingOne(graph) };
  graph.node('Loop', [steps, '', zero], { outputs: ['y'], attributes });
  graph.output('y', 'float32', [1, 1]);
  return graph.toModel();
}

/** A loop's body: the value that it carries grows by one. */
function addingOne(graph: GraphBuilder): GraphBuilder {
  const body = graph.subgraph('body');
  body.input('step', 'int64', []);
  const going = body.input('going', 'bool', []);
  const value = body.input('value', 'float32', [null, 1]);
  body.node('Identity', [going], { outputs: ['goingOn'] });
  body.node('Add', [value, body.constant('one', 'float32', [], [1])], { outputs: ['next'] });
  body.output('goingOn', 'bool', []);
  body.output('next', 'float32', [null, 1]);
  return body;
}
