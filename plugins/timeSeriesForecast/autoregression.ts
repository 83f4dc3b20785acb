import { GraphBuilder } from 'cloudeasyml/onnx';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';

/** What a model looks back on. */
export interface Shape {
  /** Observations after which the series repeats; 1 where it has no season. */
  season: number;
  /** Observations that the next one is forecast from; more than a season. */
  window: number;
}

/** Deviations up to this share of the observations' size are rounding errors. */
const roundingShare = 1e-10;

/**
 * Fits ridge regressions (Hoerl and Kennard 1970), one for each penalty: from a window, standardised
 * by its own mean and deviation, to the observation after it on the same scale. So the regression
 * learns the shape of the series, whatever its level and size (as in Kim et al. 2022, RevIN), and the
 * penalty draws the forecast towards the window's mean.
 *
 * @returns for each penalty the coefficients of the window's observations, oldest first: their
 *   weighted sum is the next observation
 */
export function fitAutoregressions(
  series: readonly number[],
  window: number,
  penalties: readonly number[],
): number[][] {
  const rows: number[][] = [];
  const targets: number[] = [];
  for (let next = window; next < series.length; next++) {
    const values = series.slice(next - window, next);
    const { mean, deviation } = momentsOf(values);
    if (deviation <= roundingShare * Math.abs(mean)) continue;
    rows.push(values.map((value) => (value - mean) / deviation));
    targets.push((series[next]! - mean) / deviation);
  }
  if (rows.length === 0) return penalties.map(() => new Array<number>(window).fill(1 / window));

  const design = new Matrix(rows);
  const transposed = design.transpose();
  const normal = transposed.mmul(design);
  const target = transposed.mmul(Matrix.columnVector(targets));
  return penalties.map((penalty) => {
    const penalised = Matrix.add(normal, Matrix.eye(window).mul(penalty));
    const weights = new CholeskyDecomposition(penalised).solve(target).to1DArray();
    // The deviation cancels out and the mean is a sum of observations, so that both fold into them.
    const ofMean = (1 - weights.reduce((sum, weight) => sum + weight, 0)) / window;
    return weights.map((weight) => weight + ofMean);
  });
}

/** Forecasts by feeding each forecast back as the newest observation. */
export function forecast(
  coefficients: readonly number[],
  history: readonly number[],
  horizon: number,
): number[] {
  const values = history.slice(-coefficients.length);
  for (let step = 0; step < horizon; step++) {
    let next = 0;
    for (let lag = 0; lag < coefficients.length; lag++)
      next += coefficients[lag]! * values[step + lag]!;
    values.push(next);
  }
  return values.slice(coefficients.length);
}

/** The model as a graph: `window` [batch, window] float64 → `next` [batch, 1] float64. */
export function toOnnx(coefficients: readonly number[]): Uint8Array {
  const graph = new GraphBuilder('timeSeriesForecast');
  const window = graph.input('window', 'float64', ['batch', coefficients.length]);
  const weights = graph.constant('coefficients', 'float64', [coefficients.length, 1], coefficients);
  graph.node('MatMul', [window, weights], { outputs: ['next'] });
  graph.output('next', 'float64', ['batch', 1]);
  return graph.toModel();
}

/**
 * The last `window` observations of a history. Where it is shorter, it is continued backwards by
 * whole seasons with the mean change from season to season, which tells the model nothing new.
 *
 * @param history at least {@link shortestHistory} observations
 */
export function lastWindow(history: readonly number[], { season, window }: Shape): number[] {
  const values = history.slice(-window);
  const { mean } = momentsOf(seasonalChanges(values, season));
  while (values.length < window) values.unshift(values[season - 1]! - mean);
  return values;
}

/** Observations without which neither the season nor how much it changes can be seen. */
export function shortestHistory(season: number): number {
  return season + Math.max(season, 3);
}

/**
 * How much the changes from season to season vary in a history's last window: the unit of its errors,
 * since what trend and season do not explain shows there. 0 where that is nothing.
 */
export function scaleOf(history: readonly number[], { season, window }: Shape): number {
  const values = history.slice(-window);
  const { deviation } = momentsOf(seasonalChanges(values, season));
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return deviation > roundingShare * largest ? deviation : 0;
}

function seasonalChanges(values: readonly number[], season: number): number[] {
  return values.slice(season).map((value, index) => value - values[index]!);
}

function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}
