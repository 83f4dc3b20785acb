/** Models some of whose outputs, or all, are not by rows, or whose rows depend on each other. */
import { GraphBuilder } from 'cloudeasyml/onnx';
import { type AwkwardModel, doubled, rowsOf, wholeRows } from './awkwardModel.js';

/** y = 2x by rows, and c = [7, 9], whatever comes in. */
function constantBesideRows(): AwkwardModel {
  const graph = new GraphBuilder('constantBesideRows');
  const x = graph.input('x', 'float32', ['batch', 2]);
  graph.node('Add', [x, x], { outputs: ['y'] });
  graph.node('Identity', [graph.constant('kept', 'float32', [2], [7, 9])], { outputs: ['c'] });
  graph.output('y', 'float32', ['batch', 2]);
  graph.output('c', 'float32', [2]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32', c: 'float32' },
    request(client) {
      const x = wholeRows(client, 4, 2);
      return { data: x, predictions: { y: doubled(x), c: [7, 9] } };
    },
  };
}

/** The same without the rows. */
function constantAlone(): AwkwardModel {
  const graph = new GraphBuilder('constantAlone');
  graph.input('x', 'float32', ['batch', 2]);
  graph.node('Identity', [graph.constant('kept', 'float32', [2], [7, 9])], { outputs: ['c'] });
  graph.output('c', 'float32', [2]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { c: 'float32' },
    request: (client) => ({ data: wholeRows(client, 4, 2), predictions: [7, 9] }),
  };
}

/** Where x is not zero: as many columns as there are such places. */
function nonZeroPlaces(): AwkwardModel {
  const graph = new GraphBuilder('nonZeroPlaces');
  const x = graph.input('x', 'float32', ['batch', 3]);
  graph.node('NonZero', [x], { outputs: ['places'] });
  graph.output('places', 'int64', [2, 'count']);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { places: 'int64' },
    request(client) {
      const x = rowsOf(client, 4, (row) => [1, (client + row) % 2, (client + row) % 3]);
      const places = x.flatMap((cells, row) =>
        cells.flatMap((value, column) => (value === 0 ? [] : [[row, column]])),
      );
      return {
        data: x,
        predictions: [places.map(([row]) => row!), places.map(([, column]) => column!)],
      };
    },
  };
}

/** The rows that do not begin with a zero: as many as went in, where none does. */
function rowsKept(): AwkwardModel {
  const graph = new GraphBuilder('rowsKept');
  const x = graph.input('x', 'float32', [null, 2]);
  const first = graph.constant('first', 'int64', [], [0n]);
  const begins = graph.node('Gather', [x, first], { attributes: { axis: 1n } });
  const kept = graph.node('Cast', [begins], { attributes: { to: 9n } });
  graph.node('Compress', [x, kept], { outputs: ['y'], attributes: { axis: 0n } });
  graph.output('y', 'float32', [null, 2]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const x = wholeRows(client, 5, 2).map(([first, second], row) => [
        client % 2 === 0 && row % 2 === 1 ? 0 : first!,
        second!,
      ]);
      return { data: x, predictions: x.filter(([first]) => first !== 0) };
    },
  };
}

/** The values that there are, in order: as many as went in, where no two are alike. */
function sortedValues(input: string | null, output: string | null): AwkwardModel {
  const graph = new GraphBuilder('sortedValues');
  const x = graph.input('x', 'int64', [input]);
  graph.node('Unique', [x], { outputs: ['y'], attributes: { sorted: 1n } });
  graph.output('y', 'int64', [output]);
  return {
    model: graph.toModel(),
    inputs: { x: 'int64' },
    outputs: { y: 'int64' },
    request(client) {
      const x = rowsOf(client, 5, (row) => 1000 - client + ((client % 3) - 1) * 7 * row);
      return { data: x, predictions: [...new Set(x)].sort((a, b) => a - b) };
    },
  };
}

/** One number: the mean of all values of all rows. */
function meanOfAll(): AwkwardModel {
  const graph = new GraphBuilder('meanOfAll');
  const x = graph.input('x', 'float32', ['batch', 2]);
  graph.node('ReduceMean', [x], { outputs: ['mean'], attributes: { keepdims: 0n } });
  graph.output('mean', 'float32', []);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { mean: 'float32' },
    request(client) {
      // Rows lie around the client's own mean, evenly.
      const middle = 100 * client;
      const x = rowsOf(client, 4, (row) => [middle - row - 1, middle + row + 1]);
      return { data: x, predictions: middle };
    },
  };
}

/** The mean of each column. */
function columnMeans(): AwkwardModel {
  const graph = new GraphBuilder('columnMeans');
  const x = graph.input('x', 'float32', ['batch', 3]);
  graph.node('ReduceMean', [x], { outputs: ['means'], attributes: { axes: [0n], keepdims: 0n } });
  graph.output('means', 'float32', [3]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { means: 'float32' },
    request(client) {
      const { rows, means } = aroundMeans(client);
      return { data: rows, predictions: means };
    },
  };
}

/** Rows less the mean of each column: of the shape that an answer by rows has. */
function centred(): AwkwardModel {
  const graph = new GraphBuilder('centred');
  const x = graph.input('x', 'float32', ['batch', 3]);
  const means = graph.node('ReduceMean', [x], { attributes: { axes: [0n] } });
  graph.node('Sub', [x, means], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 3]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const { rows, means } = aroundMeans(client);
      return {
        data: rows,
        predictions: rows.map((row) => row.map((value, column) => value - means[column]!)),
      };
    },
  };
}

/** A row that is a client's own means, and others in pairs, as far below it as above it. */
function aroundMeans(client: number) {
  const means = [client, 10 * client, 100 * client];
  const pairs = rowsOf(client, 3, (pair) => pair)
    .slice(1)
    .flatMap((distance) => [
      means.map((mean, column) => mean - distance * (column + 1)),
      means.map((mean, column) => mean + distance * (column + 1)),
    ]);
  return { rows: [means, ...pairs], means };
}

/**
 * x, rounded to 255 steps between the least and the largest value of all rows, as models do whose
 * quantization is dynamic.
 */
function dynamicallyQuantized(): AwkwardModel {
  const graph = new GraphBuilder('dynamicallyQuantized');
  const x = graph.input('x', 'float32', ['batch', 4]);
  const quantized = ['quantized', 'scale', 'zeroPoint'];
  graph.node('DynamicQuantizeLinear', [x], { outputs: quantized });
  graph.node('DequantizeLinear', quantized, { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 4]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      // Steps of the client's own size: alone nothing is lost, beside larger ones it would be.
      const step = client + 1;
      const x = rowsOf(client, 3, (row) => [0, row + 1, 100 + row, 255].map((n) => n * step));
      return { data: x, predictions: x };
    },
  };
}

/** Sums along the first axis, which is time; the second is the batch. */
function timeMajor(): AwkwardModel {
  const graph = new GraphBuilder('timeMajor');
  const x = graph.input('x', 'float32', ['time', 'batch', 2]);
  const axis = graph.constant('axis', 'int64', [], [0n]);
  graph.node('CumSum', [x, axis], { outputs: ['y'] });
  graph.output('y', 'float32', ['time', 'batch', 2]);
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const x = rowsOf(client, 5, (time) => [[client, time]]);
      const upTo = (time: number) => ((time + 1) * time) / 2;
      return { data: x, predictions: x.map((_, time) => [[client * (time + 1), upTo(time)]]) };
    },
  };
}

/** a: [n, 2], b: [m, 2] → each row of a times each of b: [n, m]. */
function pairProducts(): AwkwardModel {
  const graph = new GraphBuilder('pairProducts');
  const a = graph.input('a', 'float32', ['n', 2]);
  const b = graph.input('b', 'float32', ['m', 2]);
  const across = graph.node('Transpose', [b], { attributes: { perm: [1n, 0n] } });
  graph.node('MatMul', [a, across], { outputs: ['y'] });
  graph.output('y', 'float32', ['n', 'm']);
  return {
    model: graph.toModel(),
    inputs: { a: 'float32', b: 'float32' },
    outputs: { y: 'float32' },
    request(client) {
      const a = wholeRows(client, 3, 2);
      const b = wholeRows(client, 4, 2);
      const product = (left: number[], right: number[]) =>
        left[0]! * right[0]! + left[1]! * right[1]!;
      return { data: { a, b }, predictions: a.map((row) => b.map((other) => product(row, other))) };
    },
  };
}

/** Models whose answers to a request must not depend on others', and would in a joined run. */
export const wholeOutputs: Record<string, AwkwardModel> = {
  constantBesideRows: constantBesideRows(),
  constantAlone: constantAlone(),
  nonZeroPlaces: nonZeroPlaces(),
  rowsKept: rowsKept(),
  sortedValues: sortedValues('batch', 'count'),
  sortedUnnamed: sortedValues(null, null),
  meanOfAll: meanOfAll(),
  columnMeans: columnMeans(),
  centred: centred(),
  dynamicallyQuantized: dynamicallyQuantized(),
  timeMajor: timeMajor(),
  pairProducts: pairProducts(),
};
