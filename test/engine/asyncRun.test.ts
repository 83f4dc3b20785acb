import { setMaxListeners } from 'node:events';
import { InferenceSession, Tensor } from 'cloudeasyml';
import { expect, test } from 'vitest';
import { expectRejection } from '../support/errors.js';
import { countingLoop, softmaxClassifier } from '../support/onnxModels.js';

const loop = InferenceSession.createSync(countingLoop());

function counting(count: bigint) {
  return {
    count: new Tensor('int64', BigInt64Array.of(count), []),
    x: new Tensor('float32', Float32Array.of(0), []),
  };
}

/** More steps than any test waits for. */
const endless = counting(10n ** 12n);

test('runs that overlap each give their own answer', async () => {
  const counts = Array.from({ length: 50 }, (_, i) => BigInt(i * 7));
  const answers = await Promise.all(counts.map((count) => loop.runAsync(counting(count))));
  expect(answers.map(({ y }) => y!.data[0])).toEqual(counts.map(Number));
});

test('the feeds may be written to at once', async () => {
  const session = InferenceSession.createSync(softmaxClassifier());
  const data = Float32Array.of(1, 2, 3, 4);
  const expected = session.run({ x: new Tensor('float32', data, [1, 4]) }).y!.data.slice();
  const running = session.runAsync({ x: new Tensor('float32', data, [1, 4]) });
  data.fill(Number.NaN);
  expect((await running).y!.data).toEqual(expected);
});

test('synchronous runs go on while asynchronous ones are under way', async () => {
  const controller = new AbortController();
  const running = loop.runAsync(endless, { signal: controller.signal });
  expect(loop.run(counting(3n)).y!.data[0]).toBe(3);
  controller.abort();
  await expectRejection(running, { code: 'cancelled' });
});

test('a run ends when its signal is aborted, and takes the reason along', async () => {
  const controller = new AbortController();
  const running = loop.runAsync(endless, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('the client has gone')), 20);
  const error = await running.catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'cancelled', cause: { message: 'the client has gone' } });
});

test('a run whose signal is aborted already does not begin', async () => {
  await expectRejection(loop.runAsync(endless, { signal: AbortSignal.abort() }), {
    code: 'cancelled',
  });
});

test('an abort stops its own run alone, and nothing once that has ended', async () => {
  const controller = new AbortController();
  const stopped = loop.runAsync(endless, { signal: controller.signal });
  const other = loop.runAsync(counting(200_000n));
  controller.abort();
  await expectRejection(stopped, { code: 'cancelled' });
  expect((await other).y!.data[0]).toBe(200_000);

  const late = new AbortController();
  await loop.runAsync(counting(1n), { signal: late.signal });
  late.abort();
  expect((await loop.runAsync(counting(2n))).y!.data[0]).toBe(2);
});

test('more runs than there are threads can all be stopped', async () => {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const running = Array.from({ length: 40 }, () =>
    loop.runAsync(endless, { signal: controller.signal }),
  );
  setTimeout(() => controller.abort(), 20);
  const ends = await Promise.allSettled(running);
  expect(ends.every((end) => end.status === 'rejected' && end.reason.code === 'cancelled')).toBe(
    true,
  );
});
