import { z } from 'zod';
import type { ExecutionProviderOptions } from '../engine/index.js';
import { CloudEasyMLError } from '../errors.js';
import { mapping, validate } from '../validation/validate.js';
import { admitOverrides } from './admitOverrides.js';
import { labelsSchema } from './labels.js';
import { isMapping, mergeMappings } from './mappings.js';
import { refuseUnread } from './onlyWithoutCode.js';
import {
  batchAxis,
  integer,
  providerList,
  providerName,
  type ServingConfig,
  withDefaults,
} from './servingConfig.js';

/** What `mergeConfig` needs of a plugin. */
export interface Configured {
  kind: 'code' | 'onnx';
  name: string;
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

/** Rows of a batch; a plugin's own config.yaml may have more. */
const mostRows = 4096;
const mostProviders = 8;

const onlyInFile = 'this can only be set in the plugin’s config.yaml';

/** What names files, libraries, threads or memory of the server's. */
const operatorSettings = ['session', 'model', 'overrides'] as const;

const deviceRule = 'the number of a device';
const device = z.union([
  z.int(deviceRule).min(0, deviceRule).max(9999, deviceRule),
  z.string().regex(/^\d{1,4}$/, deviceRule),
]);

/** What a deployment may override, and how far. A user who may deploy need not own the machine. */
const overridesSchema = (plugin: Configured) =>
  mapping({
    maxBatchSize: integer(0, Math.max(mostRows, plugin.serving.maxBatchSize)),
    batchAxis,
    maxQueueDelayUs: integer(0, 1_000_000),
    maxQueueSize: integer(1, 65_536),
    timeoutMs: integer(10, 3_600_000),
    maxStreams: integer(1, 4096),
    loadTimeoutMs: integer(1, plugin.serving.loadTimeoutMs),
    executionProviders: providerList(
      z.looseObject({ name: providerName, device_id: device.optional() }),
    ),
    labels: labelsSchema.optional(),
  });

/**
 * A plugin's settings overridden by a deployment's `config`: mappings are merged, everything else is
 * replaced. Its `serving` key overrides the `serving:` block, as far as a deployment may.
 *
 * @throws CloudEasyMLError `invalid_input` with the path of what is wrong, `config.serving.maxBatchSize`
 */
export function mergeConfig(
  plugin: Configured,
  deploymentConfig: Record<string, unknown> = {},
): DeploymentConfig {
  const { serving: override = {}, ...settings } = deploymentConfig;
  refuseOperatorSettings(override);
  const place = { path: ['config', 'serving'] };
  const { executionProviders, ...block } = validate(overridesSchema(plugin), override, place);
  const providers = executionProviders && chosenProviders(executionProviders, plugin.serving);
  if (plugin.kind === 'code') refuseUnread(block, `${plugin.name} has code, which`, place);
  else {
    validate(mapping({ serving: z.unknown().optional() }), deploymentConfig, { path: ['config'] });
  }
  return {
    config: mergeMappings(plugin.config, admitOverrides(settings, plugin.serving.overrides)),
    serving: withDefaults(plugin.serving, {
      ...block,
      ...(providers && { executionProviders: providers }),
    }),
    ...(plugin.modelFile !== undefined && { modelFile: plugin.modelFile }),
  };
}

function refuseOperatorSettings(override: unknown): void {
  if (!isMapping(override)) return;
  for (const key of operatorSettings) {
    const value = override[key];
    if (value === undefined) continue;
    const within = isMapping(value) ? Object.keys(value)[0] : undefined;
    refuse(within === undefined ? key : `${key}.${within}`, onlyInFile);
  }
}

/**
 * Providers by name: those that config.yaml sets up keep its options, of which a deployment may only
 * choose the device.
 */
function chosenProviders(
  asked: NonNullable<ServingConfig['executionProviders']>,
  { executionProviders: configured }: ServingConfig,
): ServingConfig['executionProviders'] {
  if (asked === 'auto') return asked;
  if (asked.length > mostProviders) {
    refuse('executionProviders', `expected at most ${mostProviders} execution providers`);
  }
  const known = configured === 'auto' ? [] : configured;
  return asked.map((provider, index) => {
    const { name, device_id, ...others }: ExecutionProviderOptions =
      typeof provider === 'string' ? { name: provider } : provider;
    const [option] = Object.keys(others);
    if (option) refuse(`executionProviders[${index}].${option}`, onlyInFile);
    const base = known.find(
      (one) => typeof one !== 'string' && one.name.toLowerCase() === name.toLowerCase(),
    );
    return base === undefined
      ? provider
      : { ...(base as ExecutionProviderOptions), ...(device_id !== undefined && { device_id }) };
  });
}

function refuse(where: string, why: string): never {
  const at = `config.serving.${where}`;
  throw new CloudEasyMLError('invalid_input', `${at}: ${why}.`, { path: at });
}
