import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { ExecutionProviderOptions, SessionOptions } from '../engine/index.js';
import { CloudEasyMLError } from '../errors.js';
import { type Labels, labelsOrFileSchema, labelsSchema, readLabels } from './labels.js';
import { dataDirectory } from './modelDirectory.js';
import { mapping, type Place, validate } from './validation.js';
import { readYaml, type YamlFile } from './yamlFile.js';

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

function integer(smallest: number) {
  const error = `an integer from ${smallest} to ${largest}`;
  return z.int({ error }).min(smallest, error).max(largest, error).optional();
}

const flag = z.boolean({ error: 'true or false' }).optional();
const filePath = z.string({ error: 'a path' }).min(1, 'a path').optional();
const levels = ['disabled', 'basic', 'extended', 'all'] as const;
const providerRule =
  'the name of an execution provider, or a mapping with its name and its options';
const providersRule = 'a list of execution providers, or "auto"';
const providerName = z.string({ error: providerRule }).min(1, providerRule);

const servingShape = {
  maxBatchSize: integer(0),
  batchAxis: z.enum(batchAxes, { error: `one of ${batchAxes.join(', ')}` }).optional(),
  maxQueueDelayUs: integer(0),
  maxQueueSize: integer(1),
  timeoutMs: integer(1),
  maxStreams: integer(1),
  loadTimeoutMs: integer(1),
  executionProviders: z
    .union(
      [
        z.literal('auto'),
        z
          .array(
            z.union([providerName, z.looseObject({ name: providerName })], { error: providerRule }),
          )
          .min(1),
      ],
      { error: providersRule },
    )
    .optional(),
  model: filePath,
  labels: labelsOrFileSchema.optional(),
  session: mapping({
    graphOptimizationLevel: z.enum(levels, { error: `one of ${levels.join(', ')}` }).optional(),
    intraOpThreads: integer(1),
    interOpThreads: integer(1),
    memoryPattern: flag,
    cpuArena: flag,
    optimizedModelCache: filePath,
    configEntries: z
      .record(z.string(), z.union([z.string(), z.number().transform(String)], { error: 'text' }), {
        error: 'a mapping of texts',
      })
      .optional(),
  }).optional(),
};

const servingOfFile = mapping(servingShape);
const servingOfDeployment = mapping({ ...servingShape, labels: labelsSchema.optional() });

type ServingBlock = z.output<typeof servingOfDeployment>;

const blocksOfFolder = mapping({
  serving: z.unknown().optional(),
  metadata: z.unknown().optional(),
});

/** A plugin's `config.yaml`. */
export interface PluginConfig {
  /** The plugin's own settings: all but the `serving:` block. Empty for a plugin with no code. */
  config: Record<string, unknown>;
  serving: ServingConfig;
  /** The `metadata:` block of a plugin with no code. */
  metadata: unknown;
  /** Where the `metadata:` block stands, for messages about it. */
  metadataPlace: Place;
}

/**
 * Reads and checks a plugin's `config.yaml`; without one everything is at its default.
 *
 * @throws CloudEasyMLError `invalid_input` with the file, the line and the path of what is wrong
 */
export async function readPluginConfig(
  directory: string,
  kind: 'code' | 'onnx',
): Promise<PluginConfig> {
  const yaml = await readIfThere(path.join(directory, 'config.yaml'));
  if (kind === 'onnx') validate(blocksOfFolder, yaml.value, { ...yaml, path: [] });
  const place = { ...yaml, path: ['serving'] };
  const block = validate(servingOfFile, yaml.value.serving ?? {}, place);
  if (kind === 'code') refuseUnread(block, 'a plugin with code', place);
  const labels = await readLabels(block.labels, directory, yaml.file);
  const { serving: _, ...config } = yaml.value;
  return {
    config: kind === 'code' ? config : {},
    serving: withDefaults(servingDefaults, { ...block, labels }),
    metadata: yaml.value.metadata,
    metadataPlace: { ...yaml, path: ['metadata'] },
  };
}

async function readIfThere(file: string): Promise<YamlFile> {
  return existsSync(file) ? readYaml(file) : { file, value: {}, lineOf: () => undefined };
}

/** What is only for plugins with no code, and why those with code don't have it. */
const unreadByCode = {
  model: 'loads its own model',
  batchAxis: 'gets its requests as they are',
  labels: 'labels its answers itself',
};

/** @param who begins the message's sentence */
function refuseUnread(
  block: { [Key in keyof typeof unreadByCode]?: unknown },
  who: string,
  place: Place,
): void {
  for (const key of ['model', 'batchAxis', 'labels'] as const) {
    if (block[key] === undefined) continue;
    const at = [...place.path, key].join('.');
    const where = place.file ? `${place.file}: ` : '';
    throw new CloudEasyMLError('invalid_input', `${where}${at}: ${who} ${unreadByCode[key]}.`, {
      path: at,
    });
  }
}

function withDefaults(defaults: ServingConfig, block: ServingBlock): ServingConfig {
  const serving = { ...defaults, ...block, session: { ...defaults.session, ...block.session } };
  const cache = serving.session.optimizedModelCache;
  if (cache !== undefined)
    serving.session.optimizedModelCache = path.resolve(dataDirectory(), cache);
  return serving;
}

/** What `mergeConfig` needs of a plugin. */
export interface Configured {
  kind: 'code' | 'onnx';
  name: string;
  directory: string;
  config: Record<string, unknown>;
  serving: ServingConfig;
  modelFile?: string;
}

/** What a deployment serves with. */
export interface DeploymentConfig {
  config: Record<string, unknown>;
  serving: ServingConfig;
  /** The `.onnx` file of a plugin with no code. */
  modelFile?: string;
}

/**
 * A plugin's settings overridden by a deployment's `config`: mappings are merged, everything else is
 * replaced. Its `serving` key overrides the `serving:` block.
 *
 * @throws CloudEasyMLError `invalid_input` with the path of what is wrong, `config.serving.maxBatchSize`
 */
export function mergeConfig(
  plugin: Configured,
  deploymentConfig: Record<string, unknown> = {},
): DeploymentConfig {
  const { serving: override = {}, ...settings } = deploymentConfig;
  const block = validate(servingOfDeployment, override, { path: ['config', 'serving'] });
  refuseServerSettings(plugin, block);
  if (plugin.kind === 'onnx') {
    validate(mapping({ serving: z.unknown().optional() }), deploymentConfig, { path: ['config'] });
  }
  const merged: DeploymentConfig = {
    config: mergeMappings(plugin.config, settings),
    serving: withDefaults(plugin.serving, block),
  };
  if (plugin.kind === 'onnx') {
    merged.modelFile =
      block.model === undefined ? plugin.modelFile : path.resolve(plugin.directory, block.model);
  }
  return merged;
}

/**
 * A user who may deploy need not own the machine: what can name files, libraries or memory of the
 * server's stays in `config.yaml`. Of a provider's options a deployment may only choose the device.
 */
function refuseServerSettings(plugin: Configured, block: ServingBlock): void {
  const refuse = (where: string, why: string) => {
    const at = `config.serving.${where}`;
    throw new CloudEasyMLError('invalid_input', `${at}: ${why}.`, { path: at });
  };
  const onlyInFile = 'this can only be set in the plugin’s config.yaml';
  for (const key of ['optimizedModelCache', 'configEntries'] as const) {
    if (block.session?.[key] !== undefined) refuse(`session.${key}`, onlyInFile);
  }
  const providers = block.executionProviders ?? [];
  for (const [index, provider] of providers === 'auto' ? [] : providers.entries()) {
    const {
      name: _,
      device_id: __,
      ...others
    } = typeof provider === 'string' ? { name: provider } : provider;
    const option = Object.keys(others)[0];
    if (option) refuse(`executionProviders[${index}].${option}`, onlyInFile);
  }
  if (plugin.kind === 'code') {
    refuseUnread(block, `${plugin.name} has code, which`, { path: ['config', 'serving'] });
  }
  if (block.model === undefined) return;
  const file = path.resolve(plugin.directory, block.model);
  if (!file.startsWith(plugin.directory + path.sep)) {
    refuse('model', 'expected a file in the plugin’s folder');
  }
  if (!existsSync(file)) refuse('model', `there is no file ${block.model} in the plugin’s folder`);
}

type Mapping = Record<string, unknown>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mergeMappings(base: Mapping, override: Mapping): Mapping {
  const merged: Mapping = { ...base };
  for (const [key, value] of Object.entries(override)) {
    // JSON may carry this key as data, but to assign it would set the prototype.
    if (key === '__proto__') continue;
    const before = merged[key];
    merged[key] = isMapping(before) && isMapping(value) ? mergeMappings(before, value) : value;
  }
  return merged;
}
