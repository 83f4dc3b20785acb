import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TrainingProgress } from 'cloudeasyml';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { Random } from '../support/random.js';
import { importPlugin } from './importPlugin.js';
import { co2, TimeSeriesForecastModel } from './timeSeriesForecastModel.js';

type Progress = typeof import('../../dist/plugin/trainingProgress.js');
const { onProgress } = await importPlugin<Progress>('dist/plugin/trainingProgress.js');

const root = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-training-'));
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  process.env.CLOUDEASYML_DATA = mkdtempSync(path.join(root, 'data-'));
});

/** Sales by day: a trend, a weekly pattern, and noise of a known deviation. */
const noise = 2;
function sales(days: number): number[] {
  const random = new Random(11);
  // The sum of twelve has a deviation of 1, and is close to normal.
  const normal = () => Array.from({ length: 12 }, () => random.next()).reduce((a, b) => a + b) - 6;
  const week = [0, -4, -6, -3, 5, 18, 12];
  return Array.from(
    { length: days },
    (_, day) => 60 + 0.1 * day + week[day % 7]! + noise * normal(),
  );
}

const settings = { season: 7, horizon: 14 };

function train(data: unknown, config: Record<string, unknown> = {}) {
  return new TimeSeriesForecastModel({}).train(data, config);
}

async function served() {
  const model = new TimeSeriesForecastModel({});
  await model.load();
  return (data: readonly number[], horizon: number) =>
    [model.predict({ data, options: { horizon } }).predictions].flat().map(Number);
}

/** The mean absolute errors of a model and of repeating the last season, over all origins. */
function backtest(
  forecast: (data: readonly number[], horizon: number) => number[],
  series: readonly number[],
  { from, season, horizon }: { from: number; season: number; horizon: number },
) {
  const errors = { model: 0, naive: 0 };
  const origins = series.length - horizon - from + 1;
  for (let origin = from; origin < from + origins; origin++) {
    const predicted = forecast(series.slice(0, origin), horizon);
    for (let step = 0; step < horizon; step++) {
      const actual = series[origin + step]!;
      const naive = series[origin - season + (step % season)]!;
      errors.model += Math.abs(predicted[step]! - actual) / horizon / origins;
      errors.naive += Math.abs(naive - actual) / horizon / origins;
    }
  }
  return errors;
}

test('beats the seasonal naive forecast on years of carbon dioxide that it has not seen', async () => {
  const from = Math.round(co2.length * 0.8);
  await train({ series: co2.slice(0, from) });
  const { model, naive } = backtest(await served(), co2, { from, season: 12, horizon: 12 });
  expect(model).toBeLessThan(naive / 3);
  expect(model).toBeLessThan(0.5);
});

test('says in its metrics how it did on the end of the example series', async () => {
  const reports: TrainingProgress[] = [];
  onProgress((progress) => reports.push(progress));
  const result = await train(undefined);
  onProgress(undefined);
  expect(result.status).toBe('trained');
  expect(result.savedTo).toBe(
    path.join(process.env.CLOUDEASYML_DATA!, 'models', 'timeSeriesForecast'),
  );
  const { mase, seasonalNaiveMase, seasonalDriftMase, coverage90, ...rest } = result.metrics!;
  expect(mase).toBeLessThan(seasonalDriftMase!);
  expect(seasonalDriftMase).toBeLessThan(seasonalNaiveMase!);
  expect(Math.abs(coverage90! - 0.9)).toBeLessThan(0.05);
  // A fifth of the 672 months, less those that have no whole horizon before the end.
  expect(rest).toMatchObject({ observations: 672, window: 73, testOrigins: 134 - 11 });
  expect(reports.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(reports[4]).toMatchObject({ total: 6, metrics: { mase } });
});

test('comes with the model that it trains on the example series', async () => {
  const bundled = (await served())(co2, 24);
  await train(undefined);
  (await served())(co2, 24).forEach((value, step) => {
    expect(value).toBeCloseTo(bundled[step]!, 6);
  });
});

test('neither fits nor chooses by the end that it measures on', async () => {
  const from = co2.length - Math.round(co2.length * 0.2);
  const changed = co2.map((value, month) => (month < from ? value : 1000 - value));
  const honest = (await train(co2)).metrics!;
  const fooled = (await train(changed)).metrics!;
  expect(fooled.window).toBe(honest.window);
  expect(fooled.penalty).toBe(honest.penalty);
  expect(fooled.mae).toBeGreaterThan(20 * honest.mae!);

  // The naive forecast's error, and the unit that the others are in, by their definitions.
  const { naive } = backtest(() => [], co2, { from, season: 12, horizon: 12 });
  const fitted = co2.slice(0, from);
  const changes = fitted.slice(12).map((value, month) => Math.abs(value - fitted[month]!));
  const unit = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  expect(honest.seasonalNaiveMase).toBeCloseTo(naive / unit, 9);
  expect(honest.mase).toBeCloseTo(honest.mae! / unit, 9);
});

test('serves what was trained on the caller’s series, near to its noise', async () => {
  const series = sales(500);
  const from = 400;
  const before = await served();
  const { metrics } = await train(series.slice(0, from), settings);
  const { model, naive } = backtest(await served(), series, { from, season: 7, horizon: 14 });
  // No forecast can do better than the noise's mean absolute deviation.
  const floor = noise * Math.sqrt(2 / Math.PI);
  expect(model).toBeLessThan(1.25 * floor);
  expect(model).toBeLessThan(0.85 * naive);
  expect(metrics!.mase).toBeLessThan(metrics!.seasonalNaiveMase!);
  expect(backtest(before, series, { from, season: 7, horizon: 14 }).model).toBeGreaterThan(model);
});

test('gives intervals that hold as often as they say on the caller’s series', async () => {
  const series = sales(900);
  const from = 600;
  await train({ series: series.slice(0, from) }, settings);
  const model = new TimeSeriesForecastModel({});
  await model.load();
  const origins = Array.from({ length: 286 }, (_, index) => from + index);
  for (const interval of [0.5, 0.9]) {
    let held = 0;
    for (const origin of origins) {
      const options = { interval, horizon: 14 };
      const { metadata } = model.predict({ data: series.slice(0, origin), options });
      const { lower, upper } = metadata as { lower: number[]; upper: number[] };
      held += lower.filter(
        (bound, step) => bound <= series[origin + step]! && series[origin + step]! <= upper[step]!,
      ).length;
    }
    expect(Math.abs(held / origins.length / 14 - interval)).toBeLessThan(0.06);
  }
  model.unload();
});

test('takes points with times as well as numbers, and gives the same model for the same series', async () => {
  const series = sales(200);
  const modelOf = async (data: unknown) => {
    const { savedTo } = await train(data, settings);
    return readFileSync(path.join(savedTo!, 'model.json'), 'utf8');
  };
  const fromNumbers = await modelOf(series);
  const dated = series.map((value, day) => ({
    time: new Date(Date.UTC(2024, 0, 1 + day)).toISOString(),
    value,
  }));
  expect(await modelOf(dated)).toBe(fromNumbers);
  expect(await modelOf({ series: dated })).toBe(fromNumbers);
  expect(await modelOf({ series })).toBe(fromNumbers);
  expect(await modelOf(series.map((value, time) => ({ time, value })))).toBe(fromNumbers);
  expect(await modelOf(series.with(0, 0))).not.toBe(fromNumbers);
});

test('takes months, which are not all as long', async () => {
  const points = co2.slice(0, 200).map((value, month) => ({
    time: new Date(Date.UTC(1964, 4 + month)).toISOString().slice(0, 10),
    value,
  }));
  expect((await train(points)).metrics).toMatchObject({ observations: 200 });
});

test('learns a series without a season', async () => {
  const random = new Random(5);
  const series = [0];
  for (let day = 1; day < 300; day++) series.push(0.6 * series[day - 1]! + random.next() - 0.5);
  const { metrics } = await train(series, { season: 1 });
  expect(metrics!.mase).toBeLessThan(0.9 * metrics!.seasonalNaiveMase!);
});

test('takes settings from config.yaml and the caller’s over them', async () => {
  const model = new TimeSeriesForecastModel({ training: { season: 7, window: 22 } });
  expect((await model.train(sales(200), {})).metrics!.window).toBe(22);
  expect((await model.train(sales(200), { window: 15 })).metrics!.window).toBe(15);
});

const dates = sales(200).map((value, time) => ({ time, value }));
test.each([
  ['sales', {}, 'trainingData', 'an array of numbers but received a string'],
  [{ values: sales(200) }, {}, 'trainingData', 'without series'],
  [[], {}, 'trainingData', 'received an empty array'],
  [sales(200).with(7, Number.NaN), settings, 'trainingData[7]', 'received NaN'],
  [{ series: [...sales(200), null] }, settings, 'trainingData.series[200]', 'received null'],
  [sales(60), settings, 'trainingData', 'for a season of 7, a window of 15 and a horizon of 14'],
  [{ series: sales(60) }, {}, 'trainingData.series', 'but received 60'],
  [Array(200).fill(3), settings, 'trainingData', 'only repeats itself every 7'],
  [dates.toSpliced(50, 1), settings, 'trainingData[50].time', 'not the usual step'],
  [dates.toSpliced(9, 0, dates[3]!), settings, 'trainingData[9].time', 'not later than'],
  [dates.with(4, { time: Number.NaN, value: 1 }), settings, 'trainingData[4].time', 'a date'],
  [
    dates.map(({ value }) => ({ time: 'May', value })),
    settings,
    'trainingData[0].time',
    'ISO 8601',
  ],
  [dates.map(({ time }) => ({ time })), settings, 'trainingData[0].value', 'received nothing'],
  [sales(200), { season: 0 }, 'config.season', 'received 0'],
  [sales(200), { season: 7, window: 9 }, 'config.window', 'at least 14 for a season of 7'],
  [sales(200), { horizon: 1.5 }, 'config.horizon', 'received 1.5'],
  [sales(200), { seasons: 7 }, 'config', 'seasons'],
])(
  'refuses training data or settings that do not fit: %#',
  async (data, config, where, message) => {
    await expect(train(data, config)).rejects.toMatchObject({
      name: 'InputError',
      path: where,
      message: expect.stringContaining(message),
    });
  },
);

test('names the length that would do, and takes it', async () => {
  const fault = await train(sales(20), settings).catch((error: Error) => error.message);
  const needed = Number(/at least (\d+) observations/.exec(String(fault))![1]);
  await expect(train(sales(needed - 1), settings)).rejects.toThrow(`at least ${needed} `);
  expect((await train(sales(needed), settings)).metrics!.observations).toBe(needed);
});

test('says which file is not a model, and what to do', async () => {
  const { savedTo } = await train(sales(200), settings);
  writeFileSync(path.join(savedTo!, 'model.json'), '{"season": 7}');
  await expect(new TimeSeriesForecastModel({}).load()).rejects.toThrow(
    /model\.json is not a trained/,
  );
});
