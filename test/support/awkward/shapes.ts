/** Models whose batch axis is fixed, missing, elsewhere or has no name. */
import { GraphBuilder } from 'cloudeasyml/onnx';
import { scaling } from '../servedModels.js';
import { type AwkwardModel, doubled, rowsOf, wholeRows } from './awkwardModel.js';

type Dims = readonly (number | string | null)[];

/** y = 2x, both of this shape. */
export function doubling(dims: Dims): Uint8Array {
  const graph = new GraphBuilder('doubling');
  const x = graph.input('x', 'float32', dims);
  graph.node('Add', [x, x], { outputs: ['y'] });
  graph.output('y', 'float32', dims);
  return graph.toModel();
}

function doublingModel(
  dims: Dims,
  rows: (client: number) => number[][],
  config?: string,
): AwkwardModel {
  return {
    model: doubling(dims),
    config,
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const x = rows(client);
      return { data: x, predictions: doubled(x) };
    },
  };
}

/** x: four features and no batch → 2x, and their total, a scalar. */
function fourFeatures(): AwkwardModel {
  const graph = new GraphBuilder('fourFeatures');
  const x = graph.input('x', 'float32', [4]);
  graph.node('Add', [x, x], { outputs: ['y'] });
  graph.node('ReduceSum', [x], { outputs: ['total'], attributes: { keepdims: 0n } });
  graph.output('y', 'float32', [4]);
  graph.output('total', 'float32', []);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32', total: 'float32' },
    request(client) {
      const x = [client, client + 1, client + 2, client + 3];
      return {
        data: x,
        predictions: { y: x.map((value) => 2 * value), total: 4 * client + 6 },
      };
    },
  };
}

/** x and y = 2x are single numbers. */
function singleNumber(): AwkwardModel {
  return {
    model: doubling([]),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request: (client) => ({ data: client, predictions: 2 * client }),
  };
}

/** No input at all → [1, 2, 3]. */
function noInputs(): AwkwardModel {
  const graph = new GraphBuilder('noInputs');
  graph.node('Identity', [graph.constant('kept', 'int64', [3], [1n, 2n, 3n])], {
    outputs: ['c'],
  });
  graph.output('c', 'int64', [3]);
  return {
    model: graph.toModel(),
    inputs: {},
    outputs: { c: 'int64' },
    request: () => ({ data: {}, predictions: [1, 2, 3] }),
  };
}

/** x: [batch, 2] times one factor for the whole request. */
function scalarInput(): AwkwardModel {
  return {
    model: scaling(),
    inputs: { x: 'float32', factor: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const x = wholeRows(client, 4, 2);
      // Some clients have the same factor: those could share a run.
      const factor = 1 + (client % 3);
      return {
        data: { x, factor },
        predictions: x.map((row) => row.map((value) => value * factor)),
      };
    },
  };
}

/** x: [batch, 2], state: [2, batch, 2] → y = x + both states: [batch, 2], next = state + 1. */
function stateOnSecondAxis(): AwkwardModel {
  const graph = new GraphBuilder('stateOnSecondAxis');
  const x = graph.input('x', 'float32', ['batch', 2]);
  const state = graph.input('state', 'float32', [2, 'batch', 2]);
  const axis = graph.constant('axis', 'int64', [1], [0n]);
  const both = graph.node('ReduceSum', [state, axis], { attributes: { keepdims: 0n } });
  graph.node('Add', [x, both], { outputs: ['y'] });
  const one = graph.constant('one', 'float32', [], [1]);
  graph.node('Add', [state, one], { outputs: ['next'] });
  graph.output('y', 'float32', ['batch', 2]);
  graph.output('next', 'float32', [2, 'batch', 2]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32', state: 'float32' },
    outputs: { y: 'float32', next: 'float32' },
    request(client) {
      const x = wholeRows(client, 3, 2);
      const state = [x.map(() => [client, 1]), x.map(() => [2, client])];
      return {
        data: { x, state },
        predictions: {
          y: x.map(([a, b]) => [a! + client + 2, b! + client + 1]),
          next: state.map((rows) => rows.map((row) => row.map((value) => value + 1))),
        },
      };
    },
  };
}

/** x: [?, 4] → [?, 3], as exporters write it that name no axis. */
function unnamedAxes(): AwkwardModel {
  const graph = new GraphBuilder('unnamedAxes');
  const x = graph.input('x', 'float32', [null, 4]);
  const weights = [1, 0, 2, 0, 1, 0, 1, 1, 0, 0, 0, 3];
  const w = graph.constant('weights', 'float32', [4, 3], weights);
  graph.node('MatMul', [x, w], { outputs: ['y'] });
  graph.output('y', 'float32', [null, 3]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const x = wholeRows(client, 6, 4);
      const predictions = x.map(([a, b, c, d]) => [a! + c!, b! + c!, 2 * a! + 3 * d!]);
      return { data: x, predictions };
    },
  };
}

/** The same axis under another name in each place, as some exporters count unknown ones. */
function countedAxes(): AwkwardModel {
  const graph = new GraphBuilder('countedAxes');
  const x = graph.input('x', 'float32', ['unk__1', 2]);
  graph.node('Add', [x, x], { outputs: ['y'] });
  graph.output('y', 'float32', ['unk__2', 2]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const x = wholeRows(client, 6, 2);
      return { data: x, predictions: doubled(x) };
    },
  };
}

/** x: [batch, width] → the total of each row; a width of 0 is one, too. */
function anyWidth(): AwkwardModel {
  const graph = new GraphBuilder('anyWidth');
  const x = graph.input('x', 'float32', ['batch', 'width']);
  const axis = graph.constant('axis', 'int64', [1], [1n]);
  graph.node('ReduceSum', [x, axis], { outputs: ['total'], attributes: { keepdims: 0n } });
  graph.output('total', 'float32', ['batch']);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { total: 'float32' },
    request(client) {
      const x = wholeRows(client, 4, client % 3);
      return {
        data: x,
        predictions: x.map((row) => row.reduce((sum, value) => sum + value, 0)),
      };
    },
  };
}

/** x: [?, 37] by its graph and [?, width] by its declaration: rows that fit can't be guessed. */
function hiddenWidth(batch: string | null): AwkwardModel {
  const width = 37;
  const graph = new GraphBuilder('hiddenWidth');
  const x = graph.input('x', 'float32', [batch, 'width']);
  const w = graph.constant('weights', 'float32', [width, 1], new Float32Array(width).fill(1));
  graph.node('MatMul', [x, w], { outputs: ['y'] });
  graph.output('y', 'float32', [batch, 1]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const x = wholeRows(client, 3, width);
      return {
        data: x,
        predictions: x.map((row) => [row.reduce((sum, value) => sum + value, 0)]),
      };
    },
  };
}

const cities = ['Bern', 'Thun', 'Zürich'];

/** age and city, a column each: [?, 1] → score = age + 100 · the city's number: [?, 1]. */
function columns(): AwkwardModel {
  const graph = new GraphBuilder('columns');
  const age = graph.input('age', 'float32', [null, 1]);
  const city = graph.input('city', 'string', [null, 1]);
  const number = graph.node('LabelEncoder', [city], {
    domain: 'ai.onnx.ml',
    attributes: {
      keys_strings: cities,
      values_floats: cities.map((_, index) => 100 * (index + 1)),
      default_float: 0,
    },
  });
  graph.node('Add', [age, number], { outputs: ['score'] });
  graph.output('score', 'float32', [null, 1]);
  return {
    model: graph.toModel(),
    inputs: { age: 'float32', city: 'string' },
    outputs: { score: 'float32' },
    request(client) {
      const people = rowsOf(client, 4, (row) => ({
        age: 20 + client + row,
        city: [...cities, 'Nowhere'][(client + row) % 4]!,
      }));
      const nested = {
        age: people.map((person) => [person.age]),
        city: people.map((person) => [person.city]),
      };
      const bare = {
        age: people.map((person) => person.age),
        city: people.map((person) => person.city),
      };
      return {
        data: [people, nested, bare][client % 3]!,
        tensors: nested,
        predictions: people.map((person) => [
          person.age + 100 * ((cities.indexOf(person.city) + 1) % 4),
        ]),
      };
    },
  };
}

const fours = (client: number) =>
  Array.from({ length: 4 }, (_, row) => [client, row, client + row]);

export const shapes: Record<string, AwkwardModel> = {
  fourFeatures: fourFeatures(),
  fixedFours: doublingModel([4, 3], fours),
  paddedFours: doublingModel(
    [4, 3],
    (client) => wholeRows(client, 11, 3),
    'serving: {batchAxis: fixed}',
  ),
  oneByOne: doublingModel([1, 4], (client) => wholeRows(client, 5, 4)),
  singleNumber: singleNumber(),
  noInputs: noInputs(),
  scalarInput: scalarInput(),
  stateOnSecondAxis: stateOnSecondAxis(),
  unnamedAxes: unnamedAxes(),
  countedAxes: countedAxes(),
  anyWidth: anyWidth(),
  hiddenWidth: hiddenWidth('batch'),
  hiddenUnnamed: hiddenWidth(null),
  columns: columns(),
  unbatched: doublingModel(
    ['batch', 3],
    (client) => wholeRows(client, 4, 3),
    'serving: {maxBatchSize: 0}',
  ),
};
