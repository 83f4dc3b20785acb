export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param share 0 to 1; between two values it is interpolated */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

export function rootMeanSquaredError(
  predicted: readonly number[],
  actual: readonly number[],
): number {
  return Math.sqrt(mean(predicted.map((value, row) => (value - actual[row]!) ** 2)));
}

export function meanAbsoluteError(predicted: readonly number[], actual: readonly number[]): number {
  return mean(predicted.map((value, row) => Math.abs(value - actual[row]!)));
}

/** The share of the actual values' variance that the predictions explain, at most 1. */
export function rSquared(predicted: readonly number[], actual: readonly number[]): number {
  const centre = mean(actual);
  const variance = mean(actual.map((value) => (value - centre) ** 2));
  return 1 - rootMeanSquaredError(predicted, actual) ** 2 / variance;
}
