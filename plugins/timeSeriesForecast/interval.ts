import { forecast } from './autoregression.js';

/** Values that a model keeps of the distribution of its errors. */
const keptQuantiles = 201;

/**
 * How the error of a forecast grows with the steps ahead. Each step adds an error of its own, which
 * the later steps pass on as they would a real change; independent errors add up by their squares.
 *
 * @returns for each step the error's deviation, in units of the first step's
 */
export function errorGrowth(coefficients: readonly number[], horizon: number): number[] {
  const shock = new Array<number>(coefficients.length).fill(0);
  shock[shock.length - 1] = 1;
  const responses = [1, ...forecast(coefficients, shock, horizon - 1)];
  let squares = 0;
  return responses.map((response) => {
    squares += response ** 2;
    return Math.sqrt(squares);
  });
}

/** @returns evenly spaced quantiles, from the least to the largest error; zeros where there are none */
export function quantilesOf(errors: readonly number[]): number[] {
  const sorted = (errors.length > 0 ? [...errors] : [0]).sort((a, b) => a - b);
  return Array.from({ length: keptQuantiles }, (_, index) =>
    between(sorted, index / (keptQuantiles - 1)),
  );
}

/**
 * Half the width of the interval that holds the next observation with a probability of `level`, in
 * units of the history's scale.
 */
export function halfWidth(quantiles: readonly number[], level: number): number {
  return between(quantiles, level);
}

function between(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
