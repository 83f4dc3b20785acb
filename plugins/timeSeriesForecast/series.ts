import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { InputError, Tensor } from 'cloudeasyml';

/** Larger numbers have squares that are no numbers. */
const largestMagnitude = 1e150;

/** Times whose steps are within this factor of the usual one are even: months have 28 to 31 days. */
const evenSteps = { least: 0.5, most: 1.5 };

/** From this month on none is missing. */
const firstExampleMonth = '1964-05';

/** Histories as a client sent them. */
export interface Histories {
  series: number[][];
  /** Whether `data` was one series rather than a list of them. */
  single: boolean;
  /** Where they stand, for the errors: `data` or `data.history`. */
  path: string;
}

/**
 * Reads `data`: one series, a list of series, or either as `{history}`. A tensor of one or two axes
 * stands for the same.
 *
 * @param maxSeries that a list may have
 */
export function readHistories(data: unknown, maxSeries: number): Histories {
  const wrapped = isObject(data) && !(data instanceof Tensor);
  if (wrapped && !('history' in data)) {
    throw new InputError('data', 'expected {history: […]} but received an object without history');
  }
  const given = wrapped ? data.history : data;
  const path = wrapped ? 'data.history' : 'data';
  const values = given instanceof Tensor ? given.toJSON() : given;
  if (Array.isArray(values) && Array.isArray(values[0])) {
    if (values.length > maxSeries) {
      throw new InputError(
        path,
        `expected at most ${maxSeries} series but received ${values.length}`,
      );
    }
    const series = values.map((each: unknown, index) => readNumbers(each, `${path}[${index}]`));
    return { series, single: false, path };
  }
  return { series: [readNumbers(values, path)], single: true, path };
}

/** Reads the series of a stream's input, which is always one. */
export function readHistory(data: unknown): { history: number[]; path: string } {
  const { series, single, path } = readHistories(data, Number.POSITIVE_INFINITY);
  if (single) return { history: series[0]!, path };
  throw new InputError(
    path,
    'expected one series of numbers: a stream forecasts no list of series',
  );
}

/** Reads what `train()` takes: numbers, or `{time, value}`, or either as `{series}`. */
export function readTrainingSeries(data: unknown): { series: number[]; path: string } {
  const wrapped = isObject(data) && !(data instanceof Tensor);
  if (wrapped && !('series' in data)) {
    throw new InputError(
      'trainingData',
      'expected {series: […]} but received an object without series',
    );
  }
  const values = wrapped ? data.series : data;
  const path = wrapped ? 'trainingData.series' : 'trainingData';
  if (Array.isArray(values) && isObject(values[0])) {
    return { series: readPoints(values, path), path };
  }
  return { series: readNumbers(values, path), path };
}

/**
 * Carbon dioxide in the air at Mauna Loa, parts per million, monthly means from May 1964 to April
 * 2020 (Scripps CO2 Program).
 */
export function exampleSeries(): number[] {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const file = path.join(path.dirname(entry), '..', 'data', 'co2-concentration.csv');
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines
    .map((line) => line.split(','))
    .filter(([month]) => month! >= firstExampleMonth)
    .map(([, concentration]) => Number(concentration));
}

function readNumbers(values: unknown, path: string): number[] {
  if (!Array.isArray(values) || values.length === 0) {
    throw new InputError(path, `expected an array of numbers but received ${kindOf(values)}`);
  }
  // Most arrays hold numbers alone, and need no path for each.
  return values.map((value: unknown, index) =>
    isUsable(value) ? value : readNumber(value, `${path}[${index}]`),
  );
}

function isUsable(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= largestMagnitude;
}

function readNumber(value: unknown, path: string): number {
  if (isUsable(value)) return value;
  throw new InputError(
    path,
    `expected a number within ±${largestMagnitude} but received ${typeof value === 'number' ? value : kindOf(value)}`,
  );
}

function readPoints(points: unknown[], path: string): number[] {
  const times = points.map((point, index) => readTime(point, `${path}[${index}]`));
  checkSpacing(times, path);
  return points.map((point, index) =>
    readNumber(isObject(point) ? point.value : undefined, `${path}[${index}].value`),
  );
}

function readTime(point: unknown, path: string): number {
  if (!isObject(point)) {
    throw new InputError(path, `expected {time, value} but received ${kindOf(point)}`);
  }
  const { time } = point;
  const read = typeof time === 'string' ? Date.parse(time) : time;
  if (typeof read === 'number' && Number.isFinite(read)) return read;
  throw new InputError(
    `${path}.time`,
    `expected a date in ISO 8601, or a number, but received ${typeof time === 'string' ? JSON.stringify(time) : kindOf(time)}`,
  );
}

function checkSpacing(times: readonly number[], path: string): void {
  const steps = times.slice(1).map((time, index) => time - times[index]!);
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 1;
  const at = steps.findIndex(
    (step) => !(step >= evenSteps.least * usual && step <= evenSteps.most * usual && step > 0),
  );
  if (at < 0) return;
  const fault = steps[at]! > 0 ? 'is not the usual step after' : 'is not later than';
  throw new InputError(
    `${path}[${at + 1}].time`,
    `expected times in order and evenly spaced, but this one ${fault} the one before it`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
