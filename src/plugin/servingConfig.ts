import { availableParallelism } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { ExecutionProviderOptions, SessionOptions } from '../engine/index.js';
import { mapping } from '../validation/validate.js';
import { type Labels, labelsOrFileSchema } from './labels.js';
import { dataDirectory } from './modelDirectory.js';

/** The `serving:` block: how requests for a model are queued, batched and run. */
export interface ServingConfig {
  /** Rows that one batch holds at most; with 0 each request is run by itself, as it is. */
  maxBatchSize: number;
  /**
   * What the first axis of a model without code is. `auto`: its shapes tell, and a trial when it is
   * loaded. `rows`: the batch, whatever a trial says. `fixed`: the batch, also where its length is fixed;
   * smaller batches are padded.
   */
  batchAxis: (typeof batchAxes)[number];
  /** Microseconds that a batch may wait for more rows, from its oldest request's arrival. */
  maxQueueDelayUs: number;
  /** Requests that may wait; more are answered 503 at once. */
  maxQueueSize: number;
  /**
   * Milliseconds until a request that has no answer is answered 504; of a stream, how long the plugin may
   * take to ask for input, give an output or end.
   */
  timeoutMs: number;
  /** Streams that may be open; more are answered 503 at once. */
  maxStreams: number;
  /** Milliseconds that a plugin's `load()` may take. */
  loadTimeoutMs: number;
  /** Tried in this order; `auto` takes the best that works. */
  executionProviders: (string | ExecutionProviderOptions)[] | 'auto';
  /** The `.onnx` file of a plugin with no code, relative to its folder. */
  model?: string;
  /** The names of a classifier's classes, for a plugin with no code. */
  labels?: Labels;
  /** `optimizedModelCache` is relative to the data folder here. */
  session: Omit<SessionOptions, 'executionProviders'>;
  /**
   * What deployments may do with settings of the plugin's own, as dotted names: `none` keeps one, and all
   * in it, as config.yaml has it; a folder admits paths in it; `any` admits text of any kind.
   */
  overrides?: Record<string, string>;
}

const batchAxes = ['auto', 'rows', 'fixed'] as const;

export const servingDefaults: ServingConfig = {
  maxBatchSize: 32,
  batchAxis: 'auto',
  maxQueueDelayUs: 0,
  maxQueueSize: 1024,
  timeoutMs: 30_000,
  maxStreams: 1024,
  loadTimeoutMs: 300_000,
  executionProviders: ['cpu'],
  session: {},
};

const largest = 2 ** 31 - 1;

/** More threads than this only take turns. */
const mostThreads = Math.min(1024, 4 * availableParallelism());

/** An integer in a range, as a setting that may be left out. */
export function integer(smallest: number, most = largest) {
  const error = `an integer from ${smallest} to ${most}`;
  return z.int({ error }).min(smallest, error).max(most, error).optional();
}

const flag = z.boolean({ error: 'true or false' }).optional();
const filePath = z.string({ error: 'a path' }).min(1, 'a path').optional();
const levels = ['disabled', 'basic', 'extended', 'all'] as const;
const overrideRule = 'a folder, "any" or "none"';

export const providerRule =
  'the name of an execution provider, or a mapping with its name and its options';
export const providerName = z.string({ error: providerRule }).min(1, providerRule);

/** A list of providers, each a name or what `options` takes; or `auto`. */
export function providerList<Options extends z.ZodType>(options: Options) {
  const provider = z.union([providerName, options], { error: providerRule });
  return z
    .union([z.literal('auto'), z.array(provider).min(1)], {
      error: 'a list of execution providers, or "auto"',
    })
    .optional();
}

export const batchAxis = z.enum(batchAxes, { error: `one of ${batchAxes.join(', ')}` }).optional();

/** The `serving:` block of a config.yaml. */
export const servingSchema = mapping({
  maxBatchSize: integer(0),
  batchAxis,
  maxQueueDelayUs: integer(0),
  maxQueueSize: integer(1),
  timeoutMs: integer(1),
  maxStreams: integer(1),
  loadTimeoutMs: integer(1),
  executionProviders: providerList(z.looseObject({ name: providerName })),
  model: filePath,
  labels: labelsOrFileSchema.optional(),
  session: mapping({
    graphOptimizationLevel: z.enum(levels, { error: `one of ${levels.join(', ')}` }).optional(),
    intraOpThreads: integer(1, mostThreads),
    interOpThreads: integer(1, mostThreads),
    memoryPattern: flag,
    cpuArena: flag,
    optimizedModelCache: filePath,
    configEntries: z
      .record(z.string(), z.union([z.string(), z.number().transform(String)], { error: 'text' }), {
        error: 'a mapping of texts',
      })
      .optional(),
  }).nullish(),
  overrides: z
    .record(z.string(), z.string({ error: overrideRule }).min(1, overrideRule), {
      error: 'a mapping from settings to folders, "any" or "none"',
    })
    .nullish(),
});

/** A checked block, whose labels have been read and whose folders are absolute. */
export type ServingBlock = Omit<z.output<typeof servingSchema>, 'labels' | 'overrides'> &
  Pick<ServingConfig, 'labels' | 'overrides'>;

/** A block with what it leaves out. */
export function withDefaults(defaults: ServingConfig, block: ServingBlock): ServingConfig {
  const serving = { ...defaults, ...block, session: { ...defaults.session, ...block.session } };
  const cache = serving.session.optimizedModelCache;
  if (cache !== undefined)
    serving.session.optimizedModelCache = path.resolve(dataDirectory(), cache);
  return serving;
}
