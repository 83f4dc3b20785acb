import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { mapping, type Place, validate } from '../validation/validate.js';
import { readYaml, type YamlFile } from '../validation/yamlFile.js';
import { readLabels } from './labels.js';
import { isMapping } from './mappings.js';
import { refuseUnread } from './onlyWithoutCode.js';
import {
  type ServingConfig,
  servingDefaults,
  servingSchema,
  withDefaults,
} from './servingConfig.js';

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
  const block = validate(servingSchema, yaml.value.serving ?? {}, place);
  if (kind === 'code') refuseUnread(block, 'a plugin with code', place);
  const labels = await readLabels(block.labels, directory, yaml.file);
  const overrides = block.overrides ? foldersOf(block.overrides, directory) : undefined;
  const { serving: _, ...config } = yaml.value;
  return {
    config: kind === 'code' ? withoutUnset(config) : {},
    serving: withDefaults(servingDefaults, { ...block, labels, overrides }),
    metadata: yaml.value.metadata,
    metadataPlace: { ...yaml, path: ['metadata'] },
  };
}

async function readIfThere(file: string): Promise<YamlFile> {
  return existsSync(file) ? readYaml(file) : { file, value: {}, lineOf: () => undefined };
}

function foldersOf(overrides: Record<string, string>, directory: string) {
  const resolved = Object.entries(overrides).map(([setting, opened]) => [
    setting,
    opened === 'any' || opened === 'none' ? opened : path.resolve(directory, opened),
  ]);
  return Object.fromEntries(resolved) as Record<string, string>;
}

/** Settings without those that have no value: `options:` with nothing behind it is one left out. */
function withoutUnset(settings: Record<string, unknown>): Record<string, unknown> {
  const set = Object.entries(settings).filter(([, value]) => value !== null);
  return Object.fromEntries(
    set.map(([key, value]) => [key, isMapping(value) ? withoutUnset(value) : value]),
  );
}
