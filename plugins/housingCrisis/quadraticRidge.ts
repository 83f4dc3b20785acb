import { Matrix, solve } from 'ml-matrix';
import type { Examples } from './features.js';
import { mean, rootMeanSquaredError } from './statistics.js';

/**
 * price = bias + weights · z + zᵀ products z, where z are the features, drawn back to the range of
 * the training data and standardised.
 */
export interface QuadraticModel {
  lowest: number[];
  highest: number[];
  means: number[];
  deviations: number[];
  bias: number;
  weights: number[];
  /** [features, features], upper triangular. */
  products: number[][];
}

const penalties = [0.3, 1, 3, 10, 30, 100, 300, 1000];

/** @returns the standardised features, within the training data's range */
function standardise(row: readonly number[], model: Scale): number[] {
  return row.map((value, feature) => {
    const kept = Math.min(model.highest[feature]!, Math.max(model.lowest[feature]!, value));
    return (kept - model.means[feature]!) / model.deviations[feature]!;
  });
}

type Scale = Pick<QuadraticModel, 'lowest' | 'highest' | 'means' | 'deviations'>;

export function predictQuadratic(model: QuadraticModel, rows: readonly number[][]): number[] {
  return rows.map((row) => {
    const z = standardise(row, model);
    let price = model.bias;
    z.forEach((value, i) => {
      price += value * model.weights[i]!;
      for (let j = i; j < z.length; j++) price += value * z[j]! * model.products[i]![j]!;
    });
    return price;
  });
}

/**
 * Ridge regression (Hoerl and Kennard 1970) on the features, their squares and their products: least
 * squares with a penalty on the weights, which keeps those of correlated terms small. The penalty is
 * the one with the least error on the validation examples.
 */
export function fitQuadraticRidge(training: Examples, validation: Examples): QuadraticModel {
  const scale = measureScale(training.rows);
  const terms = new Matrix(training.rows.map((row) => termsOf(standardise(row, scale))));
  const termMeans = terms.mean('column');
  terms.subRowVector(termMeans);
  const centre = mean(training.prices);
  const transposed = terms.transpose();
  const normal = transposed.mmul(terms);
  const target = transposed.mmul(Matrix.columnVector(training.prices.map((y) => y - centre)));

  const candidates = penalties.map((penalty) => {
    const penalised = Matrix.add(normal, Matrix.eye(normal.rows).mul(penalty));
    const weights = solve(penalised, target).to1DArray();
    const bias = weights.reduce((sum, weight, term) => sum - weight * termMeans[term]!, centre);
    const model = { ...scale, bias, ...splitTerms(weights, scale.means.length) };
    const predicted = predictQuadratic(model, validation.rows);
    return { model, error: rootMeanSquaredError(predicted, validation.prices) };
  });
  return candidates.reduce((best, each) => (each.error < best.error ? each : best)).model;
}

function measureScale(rows: number[][]): Scale {
  const features = new Matrix(rows);
  return {
    lowest: features.min('column'),
    highest: features.max('column'),
    means: features.mean('column'),
    // A feature that never varies has no deviation to divide by, and no effect either way.
    deviations: features.standardDeviation('column').map((deviation) => deviation || 1),
  };
}

/** @returns the values, then the products of each with itself and with those after it */
function termsOf(z: readonly number[]): number[] {
  return [...z, ...z.flatMap((value, i) => z.slice(i).map((other) => value * other))];
}

/** Undoes the order of {@link termsOf}. */
function splitTerms(weights: readonly number[], width: number) {
  let next = width;
  const products = Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (_, j) => (j < i ? 0 : weights[next++]!)),
  );
  return { weights: weights.slice(0, width), products };
}
