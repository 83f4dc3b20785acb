import { forecast, type Shape, scaleOf } from './autoregression.js';

/** Forecasts the observations that follow a history. */
export type Forecaster = (history: readonly number[], horizon: number) => number[];

/**
 * The times from which a backtest forecasts: one after the other, each with all that was observed
 * before it.
 */
export interface Origins {
  /** Index of the first observation that is forecast. */
  from: number;
  /** Index after the last origin. */
  to: number;
  horizon: number;
}

/** Repeats the last season. */
export function seasonalNaive(season: number): Forecaster {
  return (history, horizon) =>
    Array.from(
      { length: horizon },
      (_, step) => history[history.length - season + (step % season)]!,
    );
}

/** Repeats the last season, moved each time by as much as the newest observation is from its own. */
export function seasonalDrift(season: number): Forecaster {
  const naive = seasonalNaive(season);
  return (history, horizon) => {
    const change = history[history.length - 1]! - history[history.length - 1 - season]!;
    return naive(history, horizon).map(
      (value, step) => value + change * (1 + Math.floor(step / season)),
    );
  };
}

/** Walks through the origins, with what was forecast from each and what came. */
export function* rollingOrigins(
  forecaster: Forecaster,
  series: readonly number[],
  { from, to, horizon }: Origins,
) {
  for (let origin = from; origin < to; origin++) {
    const history = series.slice(0, origin);
    const actual = series.slice(origin, origin + horizon);
    yield { history, actual, predicted: forecaster(history, horizon) };
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
  const model: Forecaster = (history, horizon) => forecast(coefficients, history, horizon);
  const origins = rollingOrigins(model, series, { from, to, horizon: 1 });
  return Array.from(origins).flatMap(({ history, actual, predicted }) => {
    const scale = scaleOf(history, shape);
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
