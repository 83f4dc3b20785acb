import type { RegressionTree } from 'cloudeasyml/onnx';
import { DecisionTreeRegression, type RegressionNode } from 'ml-cart';
import type { Examples } from './features.js';
import type { Random } from './random.js';
import { mean, rootMeanSquaredError } from './statistics.js';
import type { TrainingOptions } from './training.js';

/** price = base + the sum of the trees */
export interface TreeModel {
  base: number;
  trees: RegressionTree[];
}

/** Nodes of so few rows are not split. */
const minNumSamples = 5;

export function predictTrees({ base, trees }: TreeModel, rows: number[][]): number[] {
  return rows.map((row) => trees.reduce((price, tree) => price + predictTree(tree, row), base));
}

function predictTree(tree: RegressionTree, row: number[]): number {
  let node = tree;
  while (!('value' in node)) {
    node = row[node.feature]! < node.threshold ? node.left : node.right;
  }
  return node.value;
}

/**
 * Stochastic gradient boosting (Friedman 2002) of the squared error: each tree is fitted to what the
 * trees before it left of a random part of the rows. The trees after the one with the least error on
 * the validation examples are dropped.
 *
 * @param onRound told after each tree of the error on the validation examples
 */
export function fitBoostedTrees(
  training: Examples,
  validation: Examples,
  { rounds, learningRate, maxDepth, subsample }: TrainingOptions,
  random: Random,
  onRound: (round: number, validationRmse: number) => void,
): TreeModel {
  const base = mean(training.prices);
  const fitted = training.prices.map(() => base);
  const validated = validation.prices.map(() => base);
  const sampleSize = Math.ceil(training.rows.length * subsample);
  const trees: RegressionTree[] = [];
  let best = { error: rootMeanSquaredError(validated, validation.prices), count: 0 };

  for (let round = 1; round <= rounds; round++) {
    const sample = random.permutation(training.rows.length).slice(0, sampleSize);
    const learner = new DecisionTreeRegression({ minNumSamples, maxDepth });
    learner.train(
      sample.map((row) => training.rows[row]!),
      sample.map((row) => training.prices[row]! - fitted[row]!),
    );
    const tree = toRegressionTree(learner.toJSON().root, learningRate);
    trees.push(tree);
    training.rows.forEach((row, index) => {
      fitted[index]! += predictTree(tree, row);
    });
    validation.rows.forEach((row, index) => {
      validated[index]! += predictTree(tree, row);
    });
    const error = rootMeanSquaredError(validated, validation.prices);
    if (error < best.error) best = { error, count: round };
    onRound(round, error);
  }
  return { base, trees: trees.slice(0, Math.max(1, best.count)) };
}

function toRegressionTree(node: RegressionNode, scale: number): RegressionTree {
  const { left, right, splitColumn, splitValue, distribution = 0 } = node;
  if (!left || !right) return { value: distribution * scale };
  return {
    feature: splitColumn,
    threshold: splitValue,
    left: toRegressionTree(left, scale),
    right: toRegressionTree(right, scale),
  };
}
