import { beforeAll, expect, test } from 'vitest';
import { readmeExamples, rounded } from './readmeExamples.js';
import {
  co2,
  pretrainedModel,
  Tensor,
  TimeSeriesForecastModel,
} from './timeSeriesForecastModel.js';

const model = pretrainedModel();
beforeAll(() => model.load());

function ask(data: unknown, options: Record<string, unknown> = {}) {
  return model.predict({ data, options });
}

function forecast(data: unknown, options: Record<string, unknown> = {}): number[] {
  return [ask(data, options).predictions].flat().map(Number);
}

/** A level, a trend of 0.5 a month and a yearly swing of ±10. */
function regular(length: number, { level = 100, trend = 0.5, swing = 10 } = {}): number[] {
  return Array.from(
    { length },
    (_, month) => level + trend * month + swing * Math.sin((2 * Math.PI * month) / 12),
  );
}

function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  tolerance = 1e-6,
): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, step) => {
    expect(Math.abs(value - expected[step]!)).toBeLessThan(tolerance);
  });
}

test.each(readmeExamples('timeSeriesForecast'))(
  'answers as its README says: %#',
  ({ request, answer }) => {
    const { predictions, metadata } = model.predict({ options: {}, ...request });
    expect(rounded({ predictions, metadata })).toEqual(rounded(answer));
  },
);

test('carries on the trend and the season of a series it has never seen', () => {
  const whole = regular(160);
  expectClose(forecast(whole.slice(0, 100), { horizon: 24 }), whole.slice(100, 124), 1);
});

test('forecasts twelve steps unless asked for more or fewer, or set to', async () => {
  expect(forecast(co2)).toHaveLength(12);
  expect(forecast(co2, { horizon: 1 })).toEqual(forecast(co2).slice(0, 1));
  const set = new TimeSeriesForecastModel({ horizon: 3, maxHorizon: 4 });
  await set.load();
  expect(set.predict({ data: co2, options: {} }).predictions).toHaveLength(3);
  expect(() => set.predict({ data: co2, options: { horizon: 5 } })).toThrow(/from 1 to 4/);
  set.unload();
});

test('moves and scales its forecast with the history', () => {
  const plain = forecast(co2);
  const changed = forecast(co2.map((value) => 1000 * value - 7));
  expectClose(
    changed,
    plain.map((value) => 1000 * value - 7),
  );
});

test('takes a series, a list of series, {history} and tensors', () => {
  const alone = forecast(co2);
  expect(forecast({ history: co2 })).toEqual(alone);
  expect(forecast(new Tensor('float64', Float64Array.from(co2)))).toEqual(alone);

  const other = regular(co2.length);
  const both = [alone, forecast(other)];
  const { predictions, metadata } = ask([co2, other]);
  expect(rounded(predictions)).toEqual(rounded(both));
  expect(metadata).toEqual({
    modelName: 'timeSeriesForecast',
    numSeries: 2,
    horizon: 12,
    season: 12,
    window: 73,
  });
  expect(ask({ history: [co2, other] }).predictions).toEqual(predictions);
  const rows = new Tensor('float64', Float64Array.from([...co2, ...other]), [2, co2.length]);
  expect(ask({ history: rows }).predictions).toEqual(predictions);
  expect(ask([co2]).predictions).toEqual([alone]);
});

test('answers each request of a batch as it would alone', () => {
  const requests = [
    { data: co2.slice(0, 200), options: { horizon: 3 } },
    { data: [regular(30), co2, regular(500, { swing: 80 })], options: { horizon: 40 } },
    { data: { history: co2.slice(0, 24) }, options: {} },
    { data: [co2.slice(0, 61)], options: { horizon: 1, interval: 0.8 } },
    { data: co2.slice(0, 300), options: { horizon: 40, interval: 0.5 } },
  ];
  const answers = (outputs: ReturnType<typeof model.predictBatch>) =>
    outputs.map(({ predictions, metadata }) => rounded({ predictions, metadata }));
  const alone = requests.map((request) => model.predict(request));
  expect(answers(model.predictBatch(requests))).toEqual(answers(alone));
  const reversed = model.predictBatch(requests.toReversed()).toReversed();
  expect(answers(reversed)).toEqual(answers(alone));
});

test('regards the last 73 observations, and no others', () => {
  const unlike = [...regular(20, { level: -1e6, swing: 1e6 }), ...co2.slice(-73)];
  expect(forecast(unlike)).toEqual(forecast(co2));
  const different = co2.with(-73, 0);
  expect(forecast(different)).not.toEqual(forecast(co2));
});

test('continues a short history backwards by its season and mean change', () => {
  const short = co2.slice(-30);
  const changes = short.slice(12).map((value, index) => value - short[index]!);
  const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  const continued = [...short];
  while (continued.length < 73) continued.unshift(continued[11]! - mean);
  expectClose(forecast(short), forecast(continued));

  const whole = regular(48);
  expectClose(forecast(whole.slice(0, 24), { horizon: 24 }), whole.slice(24), 1);
});

test('gives intervals that widen with the level and with the steps ahead', () => {
  const boundsOf = (interval: number) => {
    const { predictions, metadata } = ask(co2, { interval, horizon: 36 });
    expect(predictions).toEqual(forecast(co2, { horizon: 36 }));
    const { lower, upper } = metadata as { lower: number[]; upper: number[] };
    const values = [predictions].flat().map(Number);
    values.forEach((value, step) => {
      expect((lower[step]! + upper[step]!) / 2).toBeCloseTo(value, 6);
    });
    return upper.map((bound, step) => bound - lower[step]!);
  };
  const narrow = boundsOf(0.5);
  const wide = boundsOf(0.95);
  narrow.forEach((width, step) => {
    expect(width).toBeGreaterThan(0);
    expect(wide[step]).toBeGreaterThan(1.5 * width);
    if (step > 0) expect(width).toBeGreaterThan(narrow[step - 1]!);
  });
  expect(ask([co2, co2], { interval: 0.9 }).metadata).toMatchObject({
    interval: 0.9,
    lower: [expect.any(Array), expect.any(Array)],
  });
  expect(ask(co2).metadata).not.toHaveProperty('lower');
});

test.each([
  [undefined, {}, 'data', 'an array of numbers but received nothing'],
  ['1, 2, 3', {}, 'data', 'received a string'],
  [[], {}, 'data', 'received an empty array'],
  [{ series: co2 }, {}, 'data', 'without history'],
  [{ history: 3 }, {}, 'data.history', 'received a number'],
  [co2.with(5, Number.NaN), {}, 'data[5]', 'received NaN'],
  [[...co2, null], {}, `data[${co2.length}]`, 'received null'],
  [[...co2, co2], {}, `data[${co2.length}]`, 'received an array'],
  [[...co2, 1e200], {}, `data[${co2.length}]`, 'received 1e+200'],
  [[co2, 4], {}, 'data[1]', 'an array of numbers but received a number'],
  [[co2, co2.with(1, Infinity)], {}, 'data[1][1]', 'received Infinity'],
  [co2.slice(0, 23), {}, 'data', 'at least 24 observations'],
  [{ history: [co2, co2.slice(0, 3)] }, {}, 'data.history[1]', 'but received 3'],
  [co2, { horizon: 0 }, 'options.horizon', 'from 1 to 500 but received 0'],
  [co2, { horizon: 501 }, 'options.horizon', 'received 501'],
  [co2, { horizon: 2.5 }, 'options.horizon', 'received 2.5'],
  [co2, { horizon: '3' }, 'options.horizon', 'received "3"'],
  [co2, { interval: 1 }, 'options.interval', 'received 1'],
  [co2, { interval: 0 }, 'options.interval', 'received 0'],
])('refuses bad input: %#', (data, options, where, message) => {
  expect(() => ask(data, options)).toThrow(
    expect.objectContaining({
      name: 'InputError',
      path: where,
      message: expect.stringContaining(message),
    }),
  );
});

test('refuses settings that do not fit', async () => {
  const misconfigured = new TimeSeriesForecastModel({ horizon: 20, maxHorizon: 10 });
  await expect(misconfigured.load()).rejects.toMatchObject({ path: 'config.horizon' });
});
