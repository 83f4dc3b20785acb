import { definePlugin, InputError, tensor } from 'cloudeasyml';
import { testPlugin } from 'cloudeasyml/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';

const scaled = definePlugin({
  name: 'scaled',
  version: '1.0.0',
  input: tensor('int64', ['rows', 2]),
  options: z.object({ topK: z.int().min(1).optional() }),
  load: () => ({ factor: 2n }),
  predict({ factor }, { data, options }) {
    // @ts-expect-error a misspelt option does not compile
    options.topk;
    return Array.from(data.data, (value) => Number(value * factor)).slice(0, options.topK);
  },
  async *stream(_, inputs) {
    for await (const { data } of inputs) yield data.dims[0];
  },
  train: (data, { directory }) => ({ status: `trained on ${data}`, savedTo: directory }),
});

it('types and checks its options, and takes integers beyond a number as text', async () => {
  const plugin = await testPlugin(scaled);
  expect((await plugin.predict([[1, '9007199254740993']])).predictions).toEqual([2, 2 ** 54 + 2]);
  expect((await plugin.predict([[1, 2]], { topK: 1 })).predictions).toEqual([2]);
  await expect(plugin.predict([[1, 1.5]])).rejects.toMatchObject({ path: 'data[0][1]' });
  await expect(plugin.predict([[1, 2]], { topK: 0 })).rejects.toBeInstanceOf(InputError);
  await plugin.close();
});

it('streams and trains in a folder of the test', async () => {
  const plugin = await testPlugin(scaled);
  const outputs = await plugin.stream([
    [[1, 2]],
    [
      [1, 2],
      [3, 4],
    ],
  ]);
  expect(outputs.map(({ predictions }) => predictions)).toEqual([1, 2]);
  const { status, savedTo } = await plugin.train('data');
  expect(status).toBe('trained on data');
  expect(savedTo).toContain('cloudeasyml-plugin-');
  await plugin.close();
});

it('refuses tensors of another shape, with the place', async () => {
  const plugin = await testPlugin(scaled);
  for (const [data, path] of [
    [[[1]], 'data[0]'],
    [[[1, 2], [3]], 'data[1]'],
    [7, 'data'],
    [[[1, null]], 'data[0][1]'],
  ] as const) {
    await expect(plugin.predict(data)).rejects.toMatchObject({ path });
  }
  await plugin.close();
});
