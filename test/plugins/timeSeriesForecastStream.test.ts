import type { PredictionInput, StreamContext } from 'cloudeasyml';
import { beforeAll, expect, test } from 'vitest';
import { streamContext } from '../support/streamContext.js';
import { co2, pretrainedModel, Tensor } from './timeSeriesForecastModel.js';

const model = pretrainedModel();
beforeAll(() => model.load());

type Sent = { data: unknown; options?: Record<string, unknown> };

async function* send(...inputs: Sent[]): AsyncGenerator<PredictionInput> {
  for (const input of inputs) yield { options: {}, ...input };
}

function context(options: Record<string, unknown> = {}): StreamContext {
  return streamContext({ options });
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function all(inputs: AsyncIterable<PredictionInput>, options?: Record<string, unknown>) {
  return collect(model.stream(inputs, context(options)));
}

async function points(inputs: AsyncIterable<PredictionInput>, options?: Record<string, unknown>) {
  return (await all(inputs, options)).map(({ predictions }) => predictions);
}

/** What the stream should say, by the unary answer. */
function unary(history: readonly number[], options: Record<string, unknown> = {}) {
  const { predictions, metadata } = model.predict({ data: history, options });
  const { lower, upper } = { ...metadata } as { lower?: number[]; upper?: number[] };
  return [predictions].flat().map((value, index) => ({
    step: index + 1,
    value,
    ...(lower && upper && { lower: lower[index], upper: upper[index] }),
  }));
}

test('gives the numbers of the unary answer, one step at a time', async () => {
  expect(await points(send({ data: co2 }), { horizon: 30 })).toEqual(unary(co2, { horizon: 30 }));
  const options = { horizon: 5, interval: 0.9 };
  expect(await points(send({ data: { history: co2 } }), options)).toEqual(unary(co2, options));
  expect(await points(send({ data: new Tensor('float64', Float64Array.from(co2)) }))).toEqual(
    unary(co2),
  );
  expect((await all(send({ data: co2 })))[0]!.metadata).toEqual({
    modelName: 'timeSeriesForecast',
    observations: co2.length,
  });
});

test('appends later observations to the history and forecasts anew', async () => {
  const parts = [co2.slice(0, 30), co2.slice(30, 31), co2.slice(31, 90), co2.slice(90, 93)];
  const outputs = await all(send(...parts.map((data) => ({ data }))), { horizon: 4 });
  const ends = [30, 31, 90, 93];
  expect(outputs.map(({ predictions }) => predictions)).toEqual(
    ends.flatMap((end) => unary(co2.slice(0, end), { horizon: 4 })),
  );
  expect(outputs.map(({ metadata }) => metadata!.observations)).toEqual(
    ends.flatMap((end) => [end, end, end, end]),
  );
});

test('takes an input’s own options over the stream’s', async () => {
  const inputs = send({ data: co2 }, { data: [417, 417.5], options: { horizon: 1 } });
  expect(await points(inputs, { horizon: 2 })).toEqual([
    ...unary(co2, { horizon: 2 }),
    ...unary([...co2, 417, 417.5], { horizon: 1 }),
  ]);
});

test('yields a step before the next input is there', async () => {
  let arrived = 0;
  async function* waiting(): AsyncGenerator<PredictionInput> {
    arrived++;
    yield { data: co2, options: {} };
    arrived++;
  }
  const stream = model.stream(waiting(), context({ horizon: 3 }));
  const first = await stream.next();
  expect(first.value!.predictions).toEqual(unary(co2)[0]);
  expect(arrived).toBe(1);
  await collect(stream);
  expect(arrived).toBe(2);
});

test('keeps streams that run side by side apart', async () => {
  const histories = [co2.slice(0, 100), co2.slice(200, 260), co2.slice(400)];
  const streams = histories.map((data) => model.stream(send({ data }), context({ horizon: 6 })));
  const taken: unknown[][] = histories.map(() => []);
  for (let step = 0; step < 6; step++) {
    for (const [index, stream] of streams.entries()) {
      taken[index]!.push((await stream.next()).value!.predictions);
    }
  }
  expect(taken).toEqual(histories.map((history) => unary(history, { horizon: 6 })));
});

test('ends at the next step when it is cancelled, and takes no more inputs', async () => {
  const controller = new AbortController();
  let closed = false;
  async function* endless(): AsyncGenerator<PredictionInput> {
    try {
      for (;;) yield { data: co2, options: {} };
    } finally {
      closed = true;
    }
  }
  const taken: unknown[] = [];
  for await (const output of model.stream(
    endless(),
    streamContext({ signal: controller.signal }),
  )) {
    taken.push(output.predictions);
    if (taken.length === 3) controller.abort();
  }
  expect(taken).toEqual(unary(co2).slice(0, 3));
  expect(closed).toBe(true);
});

test('says nothing to a stream without inputs', async () => {
  expect(await points(send())).toEqual([]);
});

test.each([
  [[{ data: co2.slice(0, 10) }], {}, 'data', 'at least 24 observations'],
  [[{ data: [co2, co2] }], {}, 'data', 'one series of numbers'],
  [[{ data: co2 }, { data: 417 }], {}, 'data', 'an array of numbers but received a number'],
  [[{ data: co2 }, { data: [417, 'x'] }], {}, 'data[1]', 'received a string'],
  [[{ data: co2 }], { horizon: -1 }, 'options.horizon', 'received -1'],
  [[{ data: co2 }, { data: [1], options: { horizon: [] } }], {}, 'options.horizon', 'received []'],
])('refuses bad input: %#', async (inputs, options, where, message) => {
  await expect(all(send(...inputs), options)).rejects.toMatchObject({
    name: 'InputError',
    path: where,
    message: expect.stringContaining(message),
  });
});
