import { Answer, definePlugin, InputError } from 'cloudeasyml';
import { z } from 'zod';

/** Counts the letters of texts, of all requests of a batch at once. */
export default definePlugin({
  name: 'typedLengths',
  version: '1.0.0',
  config: z.object({ most: z.int().default(10) }),
  input: z.string().min(1),
  options: z.object({ double: z.boolean().default(false) }),
  load: ({ config, log }) => {
    log.info('lengths are loaded');
    return { most: config.most };
  },
  predictItems({ most }, items) {
    return items.map(({ data, options }) =>
      data.length > most
        ? new InputError('data', `expected at most ${most} letters`)
        : data.length * (options.double ? 2 : 1),
    );
  },
  async *stream({ most }, inputs, { options }) {
    for await (const { data } of inputs) {
      yield new Answer(`${data}`.length * (options.double ? 2 : 1), { most });
    }
  },
});
