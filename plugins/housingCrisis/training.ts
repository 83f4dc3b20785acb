import { reportProgress } from 'cloudeasyml';
import { GraphBuilder, treeEnsembleRegressor } from 'cloudeasyml/onnx';
import { z } from 'zod';
import { fitBoostedTrees, predictTrees, type TreeModel } from './boostedTrees.js';
import { type MarketProfile, profileMarket } from './crisis.js';
import { type Examples, featureNames } from './features.js';
import { fitQuadraticRidge, predictQuadratic, type QuadraticModel } from './quadraticRidge.js';
import { Random } from './random.js';
import { meanAbsoluteError, rootMeanSquaredError, rSquared } from './statistics.js';

/** Settings of a training; the same ones and the same data give the same model, byte by byte. */
export const trainingSchema = z.strictObject({
  seed: z.int().default(42),
  /** Most trees that are grown. */
  rounds: z.int().min(1).max(5000).default(300),
  /** The share of each tree's values that counts. */
  learningRate: z.number().positive().max(1).default(0.05),
  maxDepth: z.int().min(1).max(12).default(4),
  /** The share of the rows, drawn anew, that each tree is grown on. */
  subsample: z.number().positive().max(1).default(0.5),
});

export type TrainingOptions = z.output<typeof trainingSchema>;

/** Shares of the rows that are held back to choose by, and to measure on. */
const validationShare = 0.15;
const testShare = 0.15;

export interface TrainedEnsemble {
  /** An ONNX model: `features` [batch, 13] float32 → `price` [batch] float32. */
  model: Uint8Array;
  /** Measured on rows that played no part in the training. */
  metrics: Record<string, number>;
  market: MarketProfile;
}

/**
 * Fits a quadratic ridge regression and boosted trees, and blends them.
 *
 * @param validation examples to choose the models and the blend by; without them a part of the others
 */
export function trainEnsemble(
  examples: Examples,
  validation: Examples | undefined,
  options: TrainingOptions,
): TrainedEnsemble {
  const random = new Random(options.seed);
  const count = examples.rows.length;
  const order = random.permutation(count);
  const testCount = Math.round(count * testShare);
  const validationCount = validation ? 0 : Math.round(count * validationShare);
  const test = pick(examples, order.slice(0, testCount));
  const held = validation ?? pick(examples, order.slice(testCount, testCount + validationCount));
  const training = pick(examples, order.slice(testCount + validationCount));

  const ridge = fitQuadraticRidge(training, held);
  const trees = fitBoostedTrees(training, held, options, random, (round, validationRmse) =>
    reportProgress({
      step: round,
      total: options.rounds,
      message: `grew tree ${round} of ${options.rounds}`,
      metrics: { validationRmse },
    }),
  );
  const treeShare = shareOfSecond(
    rootMeanSquaredError(predictQuadratic(ridge, held.rows), held.prices),
    rootMeanSquaredError(predictTrees(trees, held.rows), held.prices),
  );

  const byRidge = predictQuadratic(ridge, test.rows);
  const byTrees = predictTrees(trees, test.rows);
  const blended = byTrees.map((price, row) => treeShare * price + (1 - treeShare) * byRidge[row]!);
  return {
    model: ensembleModel(ridge, trees, treeShare),
    metrics: {
      rmse: rootMeanSquaredError(blended, test.prices),
      mae: meanAbsoluteError(blended, test.prices),
      r2: rSquared(blended, test.prices),
      ridgeRmse: rootMeanSquaredError(byRidge, test.prices),
      treesRmse: rootMeanSquaredError(byTrees, test.prices),
      treeShare,
      trees: trees.trees.length,
      trainingRows: training.rows.length,
      validationRows: held.rows.length,
      testRows: test.rows.length,
    },
    market: profileMarket(examples),
  };
}

function pick({ rows, prices }: Examples, indices: readonly number[]): Examples {
  return {
    rows: indices.map((index) => rows[index]!),
    prices: indices.map((index) => prices[index]!),
  };
}

/**
 * Weighs two forecasts inversely to their mean squared errors (Bates and Granger 1969). Weights that
 * also allow for the errors' correlation fit the validation rows better and new rows worse: from so
 * few rows the correlation is not known well enough.
 *
 * @returns the second forecast's weight, 0 to 1; the first's is the rest
 */
function shareOfSecond(firstRmse: number, secondRmse: number): number {
  if (firstRmse + secondRmse === 0) return 0.5;
  return firstRmse ** 2 / (firstRmse ** 2 + secondRmse ** 2);
}

function ensembleModel(ridge: QuadraticModel, trees: TreeModel, treeShare: number): Uint8Array {
  const width = featureNames.length;
  const graph = new GraphBuilder('housingCrisis');
  graph.input('features', 'float32', ['batch', width]);
  graph.constant('lowest', 'float32', [width], ridge.lowest);
  graph.constant('highest', 'float32', [width], ridge.highest);
  graph.constant('means', 'float32', [width], ridge.means);
  graph.constant('deviations', 'float32', [width], ridge.deviations);
  graph.constant('bias', 'float32', [1], [ridge.bias]);
  graph.constant('weights', 'float32', [width, 1], ridge.weights);
  graph.constant('products', 'float32', [width, width], ridge.products.flat());
  graph.constant('ridgeShare', 'float32', [], [1 - treeShare]);
  graph.constant('treeShare', 'float32', [], [treeShare]);
  graph.constant('featureAxis', 'int64', [1], [1]);

  const kept = graph.node('Min', [graph.node('Max', ['features', 'lowest']), 'highest']);
  const z = graph.node('Div', [graph.node('Sub', [kept, 'means']), 'deviations']);
  const squares = graph.node('Mul', [graph.node('MatMul', [z, 'products']), z]);
  const byRidge = graph.node('Add', [
    graph.node('Gemm', [z, 'weights', 'bias']),
    graph.node('ReduceSum', [squares, 'featureAxis']),
  ]);
  const byTrees = treeEnsembleRegressor(graph, 'features', trees.trees, trees.base);
  const blended = graph.node('Add', [
    graph.node('Mul', [byRidge, 'ridgeShare']),
    graph.node('Mul', [byTrees, 'treeShare']),
  ]);
  graph.node('Squeeze', [blended, 'featureAxis'], { outputs: ['price'] });
  graph.output('price', 'float32', ['batch']);
  return graph.toModel();
}
