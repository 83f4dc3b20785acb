import { InputError, reportProgress } from 'cloudeasyml';
import { z } from 'zod';
import { fitAutoregressions, type Shape, scaleOf, shortestHistory } from './autoregression.js';
import {
  autoregressive,
  backtestError,
  type Forecaster,
  maseUnit,
  type Origins,
  rollingOrigins,
  scaledErrors,
  seasonalDrift,
  seasonalNaive,
} from './backtest.js';
import { errorGrowth, halfWidth, quantilesOf } from './interval.js';
import type { SavedModel } from './savedModel.js';

/** Settings of a training; the same ones and the same series give the same model. */
export const trainingSchema = z.strictObject({
  season: z.int().min(1).max(1000).default(12),
  window: z.int().min(3).max(5000).optional(),
  horizon: z.int().min(1).max(1000).default(12),
});

export type TrainingOptions = z.output<typeof trainingSchema>;

/** The share at the series' end that plays no part in fitting and choosing, to measure on. */
const testShare = 0.2;
/** The share of the rest, at its end, to choose by. */
const validationShare = 1 / 3;
/** Parts of the validation; each is forecast by a model of all that was before it. */
const folds = 4;
/** The fewest windows that a model is fitted on. */
const fewestWindows = 12;
const penalties = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000];
/** Seasons that the windows to choose from go back; one more observation shows the trend. */
const windowSeasons = [2, 3, 4, 6];
/** A shorter season is counted as this long there: it says little about how far to look back. */
const leastSeason = 4;
/** The level of the intervals whose coverage is measured. */
const measuredLevel = 0.9;

/** A window and a penalty, and how they did in validation. */
interface Candidate {
  window: number;
  penalty: number;
  /** The mean absolute error. */
  error: number;
  /** Errors one step ahead, in units of their histories' scales. */
  scaledErrors: number[];
}

/**
 * Chooses window and penalty by rolling-origin cross-validation, measures the model on the series'
 * end, and fits it once more on the whole series.
 *
 * @param place where the series stands, for the errors: `trainingData`
 * @throws InputError where the series is too short, or repeats itself so that there is nothing to learn
 */
export function trainForecaster(
  series: readonly number[],
  options: TrainingOptions,
  place: string,
): SavedModel {
  const { season, horizon } = options;
  const windows = windowsOf(options);
  const { validation, test } = splitSeries(series, season, windows[0]!, horizon, place);
  const before = series.slice(0, test.from);
  const unit = maseUnit(before, season);
  if (unit === 0) {
    throw new InputError(
      place,
      `expected a series that changes, but it only repeats itself every ${season} observations: there is nothing to learn`,
    );
  }
  const feasible = windows.filter((window) => validation.from - window >= fewestWindows);
  const total = feasible.length + 2;
  const candidates = feasible.flatMap((window, index) => {
    const validated = validate(before, { season, window }, validation);
    const message = `validated a window of ${window} observations`;
    reportProgress({ step: index + 1, total, message, metrics: { mae: best(validated).error } });
    return validated;
  });
  const { window, penalty, ...chosen } = best(candidates);
  const shape = { season, window };

  const [measured] = fitAutoregressions(before, window, [penalty]);
  const metrics = {
    observations: series.length,
    window,
    penalty,
    ...measure(measured!, series, shape, test, unit, quantilesOf(chosen.scaledErrors)),
  };
  reportProgress({ step: total - 1, total, message: 'measured on the end of the series', metrics });

  const [coefficients] = fitAutoregressions(series, window, [penalty]);
  const unseen = { from: test.from, to: series.length };
  const errors = [...chosen.scaledErrors, ...scaledErrors(measured!, series, shape, unseen)];
  reportProgress({ step: total, total, message: 'fitted on the whole series' });
  return { season, coefficients: coefficients!, errorQuantiles: quantilesOf(errors), metrics };
}

function windowsOf({ season, window }: TrainingOptions): number[] {
  if (window === undefined) {
    return windowSeasons.map((seasons) => seasons * Math.max(season, leastSeason) + 1);
  }
  if (window >= shortestHistory(season)) return [window];
  throw new InputError(
    'config.window',
    `expected at least ${shortestHistory(season)} for a season of ${season}, but received ${window}`,
  );
}

function validate(series: readonly number[], shape: Shape, validation: Origins): Candidate[] {
  const { window } = shape;
  const candidates = penalties.map(
    (penalty): Candidate => ({ window, penalty, error: 0, scaledErrors: [] }),
  );
  const count = validation.to - validation.from;
  const border = (fold: number) => validation.from + Math.round((count * fold) / folds);
  for (let fold = 0; fold < folds; fold++) {
    const origins = { ...validation, from: border(fold), to: border(fold + 1) };
    const models = fitAutoregressions(series.slice(0, origins.from), window, penalties);
    const share = (origins.to - origins.from) / count;
    candidates.forEach((candidate, index) => {
      const model = models[index]!;
      candidate.error += share * backtestError(autoregressive(model), series, origins);
      candidate.scaledErrors.push(...scaledErrors(model, series, shape, origins));
    });
  }
  return candidates;
}

function best(candidates: readonly Candidate[]): Candidate {
  return candidates.reduce((least, each) => (each.error < least.error ? each : least));
}

/**
 * @param window the shortest of those to choose from
 * @returns undefined where the series is too short
 */
function originsOf(length: number, window: number, horizon: number) {
  const testFrom = length - Math.max(horizon, Math.round(length * testShare));
  const from = Math.round(testFrom * (1 - validationShare));
  // Each origin's whole horizon lies before the test.
  const to = testFrom - horizon + 1;
  if (from - window < fewestWindows || to - from < folds) return undefined;
  return {
    validation: { from, to, horizon },
    test: { from: testFrom, to: length - horizon + 1, horizon },
  };
}

function splitSeries(
  series: readonly number[],
  season: number,
  window: number,
  horizon: number,
  place: string,
) {
  const split = originsOf(series.length, window, horizon);
  if (split) return split;
  let needed = series.length + 1;
  while (!originsOf(needed, window, horizon)) needed++;
  throw new InputError(
    place,
    `expected at least ${needed} observations for a season of ${season}, a window of ${window} and a horizon of ${horizon}, but received ${series.length}`,
  );
}

/** @param unit of the mean absolute scaled error */
function measure(
  coefficients: readonly number[],
  series: readonly number[],
  shape: Shape,
  test: Origins,
  unit: number,
  errorQuantiles: readonly number[],
): Record<string, number> {
  const model = autoregressive(coefficients);
  const growth = errorGrowth(coefficients, test.horizon);
  const width = halfWidth(errorQuantiles, measuredLevel);
  const held = Array.from(rollingOrigins(model, series, test)).flatMap(
    ({ origin, actual, predicted }) => {
      const firstStep = width * scaleOf(series.slice(origin - shape.window, origin), shape);
      return actual.map(
        (value, step) => Math.abs(value - predicted[step]!) <= firstStep * growth[step]!,
      );
    },
  );
  const maseOf = (forecaster: Forecaster) => backtestError(forecaster, series, test) / unit;
  return {
    testOrigins: test.to - test.from,
    mae: unit * maseOf(model),
    mase: maseOf(model),
    seasonalNaiveMase: maseOf(seasonalNaive(shape.season)),
    seasonalDriftMase: maseOf(seasonalDrift(shape.season)),
    coverage90: held.filter(Boolean).length / held.length,
  };
}
