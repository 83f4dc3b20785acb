import { forecast, type Shape, scaleOf } from './autoregression.js';

/** Forecasts the `horizon` observations from `origin` on, by those before it. */
export type Forecaster = (series: readonly number[], origin: number, horizon: number) => number[];

/** The places that a backtest forecasts from, one after the other. */
export interface Origins {
  from: number;
  /** The place after the last one. */
  to: number;
  horizon: number;
}

/** The forecaster of an autoregression's coefficients. */
export function autoregressive(coefficients: readonly number[]): Forecaster {
  return (series, origin, horizon) =>
    forecast(coefficients, series.slice(origin - coefficients.length, origin), horizon);
}

/** Repeats the last season. */
export function seasonalNaive(season: number): Forecaster {
  return (series, origin, horizon) =>
    Array.from({ length: horizon }, (_, step) => series[origin - season + (step % season)]!);
}

/** Repeats the last season, moved each time by as much as the newest observation is from its own. */
export function seasonalDrift(season: number): Forecaster {
  const naive = seasonalNaive(season);
  return (series, origin, horizon) => {
    const change = series[origin - 1]! - series[origin - 1 - season]!;
    return naive(series, origin, horizon).map(
      (value, step) => value + change * (1 + Math.floor(step / season)),
    );
  };
}

/** Walks through the origins, with what is forecast from each and what came. */
export function* rollingOrigins(
  forecaster: Forecaster,
  series: readonly number[],
  { from, to, horizon }: Origins,
) {
  for (let origin = from; origin < to; origin++) {
    const actual = series.slice(origin, origin + horizon);
    yield { origin, actual, predicted: forecaster(series, origin, horizon) };
  }
}

/** The mean absolute error over all origins and steps. */
export function backtestError(
  forecaster: Forecaster,
  series: readonly number[],
  origins: Origins,
): number {
  let sum = 0;
  let count = 0;
  for (const { actual, predicted } of rollingOrigins(forecaster, series, origins)) {
    predicted.forEach((value, step) => {
      sum += Math.abs(value - actual[step]!);
    });
    count += actual.length;
  }
  return sum / count;
}

/**
 * The absolute errors one step ahead, each in units of its history's scale; without those of
 * histories that have none.
 */
export function scaledErrors(
  coefficients: readonly number[],
  series: readonly number[],
  shape: Shape,
  { from, to }: Pick<Origins, 'from' | 'to'>,
): number[] {
  const steps = rollingOrigins(autoregressive(coefficients), series, { from, to, horizon: 1 });
  return Array.from(steps).flatMap(({ origin, actual, predicted }) => {
    const scale = scaleOf(series.slice(origin - shape.window, origin), shape);
    return scale > 0 ? [Math.abs(predicted[0]! - actual[0]!) / scale] : [];
  });
}

/**
 * The unit of the mean absolute scaled error (Hyndman and Koehler 2006): the error of repeating the
 * last season, one step ahead, on the observations that the model was fitted on.
 */
export function maseUnit(series: readonly number[], season: number): number {
  const origins = { from: season, to: series.length, horizon: 1 };
  return backtestError(seasonalNaive(season), series, origins);
}
