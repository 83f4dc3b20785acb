import { InputError } from 'cloudeasyml';
import { z } from 'zod';
import type { SamplingOptions } from './sampling.js';

export interface GenerationOptions extends SamplingOptions {
  /** Most tokens that are made. */
  maxLength: number;
  /** Draws the tokens; without one each text is another. */
  seed: number | undefined;
  /** Strings that end the text; they are not part of it. */
  stop: readonly string[];
}

/** Each token is compared with all of them. */
const mostStops = 16;
const longestStop = 1000;

const stopString = z.string().min(1).max(longestStop);
const schema = z
  .strictObject({
    maxLength: z.int().min(1),
    temperature: z.number().min(0),
    topK: z.int().min(1),
    topP: z.number().gt(0).max(1),
    seed: z.int().min(0),
    stop: z.union([stopString.transform((stop) => [stop]), z.array(stopString).max(mostStops)]),
  })
  .partial();

const expected: Record<keyof GenerationOptions, string> = {
  maxLength: 'a whole number of tokens, 1 or more',
  temperature: 'a number, 0 or more',
  topK: 'a whole number of tokens, 1 or more',
  topP: 'a number above 0, at most 1',
  seed: 'a whole number, 0 or more',
  stop: `a text or a list of up to ${mostStops}, none of them empty or of over ${longestStop} characters`,
};

const defaults: GenerationOptions = {
  maxLength: 100,
  temperature: 0.8,
  topK: 50,
  topP: 1,
  seed: undefined,
  stop: [],
};

function isOption(name: unknown): name is keyof GenerationOptions {
  return typeof name === 'string' && Object.hasOwn(expected, name);
}

/**
 * Checks options.
 *
 * @param where they stand, for the errors: `options`
 * @param mostTokens that `maxLength` may be
 * @param base what those that are left out are
 * @throws InputError on `options.topK` and the like
 */
export function readOptions(
  options: unknown,
  where: string,
  mostTokens: number,
  base: GenerationOptions = defaults,
): GenerationOptions {
  const checked = schema.safeParse(options);
  if (checked.success) {
    const read = { ...base, ...checked.data };
    if (read.maxLength <= mostTokens) return read;
    throw new InputError(
      `${where}.maxLength`,
      `expected a whole number of tokens, from 1 to ${mostTokens}, but received ${read.maxLength}`,
    );
  }
  const issue = checked.error.issues[0]!;
  const name = issue.code === 'unrecognized_keys' ? issue.keys[0] : issue.path[0];
  if (isOption(name)) {
    const received = JSON.stringify(Reflect.get(Object(options), name));
    throw new InputError(
      `${where}.${name}`,
      `expected ${expected[name]}, but received ${received ?? 'nothing'}`,
    );
  }
  if (name === undefined) throw new InputError(where, 'expected an object of options');
  throw new InputError(
    `${where}.${String(name)}`,
    `there is no such option; there are ${Object.keys(expected).join(', ')}`,
  );
}
