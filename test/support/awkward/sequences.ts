/** Models whose outputs are sequences, of maps as scikit-learn's exporter adds them or of tensors. */
import { type Attribute, GraphBuilder } from 'cloudeasyml/onnx';
import { type AwkwardModel, wholeRows } from './awkwardModel.js';

/**
 * A linear classifier of three classes as scikit-learn's exporter writes it: X: [?, 2] → the label of the
 * largest score, [?], and a sequence with a map from label to score for each row.
 */
function classifier(names: readonly bigint[] | readonly string[]): AwkwardModel {
  const hasNumbers = typeof names[0] === 'bigint';
  const key = hasNumbers ? 'int64' : 'string';
  const classes: Attribute = names;
  const graph = new GraphBuilder('classifier');
  const x = graph.input('X', 'float32', [null, 2]);
  graph.node('LinearClassifier', [x], {
    domain: 'ai.onnx.ml',
    outputs: ['label', 'scores'],
    attributes: {
      [hasNumbers ? 'classlabels_ints' : 'classlabels_strings']: classes,
      // The scores are x0, x1 and 100 − x0.
      coefficients: [1, 0, 0, 1, -1, 0],
      intercepts: [0, 0, 100],
      multi_class: 1n,
      post_transform: 'NONE',
    },
  });
  graph.node('Identity', ['label'], { outputs: ['output_label'] });
  graph.node('ZipMap', ['scores'], {
    domain: 'ai.onnx.ml',
    outputs: ['output_probability'],
    attributes: { [`classlabels_${key}s`]: classes },
  });
  graph.output('output_label', key, [null]);
  graph.output('output_probability', {
    sequence: { map: key, to: { tensor: 'float32', dims: [] } },
  });
  return {
    model: graph.toModel({ opsets: { 'ai.onnx.ml': 1 } }),
    inputs: { X: 'float32' },
    outputs: { output_label: key, output_probability: null },
    request(client) {
      const rows = wholeRows(client, 5, 2).map(([a, b], row) => [a! - 50 * (row % 3), b!]);
      const scores = rows.map(([a, b]) => [a!, b!, 100 - a!]);
      return {
        data: rows,
        predictions: {
          output_label: scores.map((row) => names[row.indexOf(Math.max(...row))]!),
          output_probability: scores.map((row) =>
            Object.fromEntries(row.map((score, index) => [String(names[index]), score])),
          ),
        },
      };
    },
  };
}

/** A sequence of tensors: the rows, or the columns, each as [batch, 1]. */
function split(by: 'rows' | 'columns'): AwkwardModel {
  const graph = new GraphBuilder('split');
  const x = graph.input('x', 'float32', ['batch', 4]);
  const attributes = by === 'rows' ? { axis: 0n, keepdims: 0n } : { axis: 1n, keepdims: 1n };
  const each = by === 'rows' ? [4] : ['batch', 1];
  if (by === 'rows') graph.node('SplitToSequence', [x], { outputs: ['parts'], attributes });
  else {
    const one = graph.constant('one', 'int64', [], [1n]);
    graph.node('SplitToSequence', [x, one], { outputs: ['parts'], attributes });
  }
  graph.output('parts', { sequence: { tensor: 'float32', dims: each } });
  return {
    model: graph.toModel(),
    inputs: { x: 'float32' },
    outputs: { parts: null },
    request(client) {
      // Often four rows, as many as there are columns.
      const rows = client % 2 === 0 ? 4 : 1 + (client % 3);
      const x = Array.from({ length: rows }, (_, row) => [client, row, client + row, client * row]);
      const columns = [0, 1, 2, 3].map((column) => x.map((row) => [row[column]!]));
      return { data: x, predictions: by === 'rows' ? x : columns };
    },
  };
}

export const sequences: Record<string, AwkwardModel> = {
  numberedClasses: classifier([0n, 1n, 2n]),
  namedClasses: classifier(['setosa', 'versicolor', 'žluťoučká "iris"']),
  splitRows: split('rows'),
  splitColumns: split('columns'),
};
