import { z } from 'zod';
import { settingsSchema } from './settingsSchema.js';

/** One leaf of the settings schema, and its names in each place that can set it. */
export interface SettingRow {
  /** Its place in config.yaml: `onnxRuntime.library`. */
  path: string;
  /** Its environment variable: `CLOUDEASYML_ONNX_RUNTIME_LIBRARY`. */
  variable: string;
  /** Its command-line flag: `onnx-runtime-library`; undefined for a secret, which `ps` would show. */
  flag: string | undefined;
  type: 'string' | 'integer' | 'boolean' | 'list' | 'mapping';
  /** Between the items of a list, or of a mapping's `name=value`, in a variable or a flag. */
  separator: string;
  /** The values that an enumeration allows. */
  values: readonly string[] | undefined;
  /** As a reader should see it. */
  defaultText: string;
  description: string;
}

interface LeafSchema {
  type?: string;
  properties?: Record<string, LeafSchema>;
  default?: unknown;
  enum?: string[];
  description?: string;
  separator?: string;
  defaultText?: string;
  secret?: boolean;
}

const leafTypes: Record<string, 'list' | 'mapping'> = { array: 'list', object: 'mapping' };

function words(path: string): string {
  return path.replace(/\./g, '_').replace(/([a-z0-9])([A-Z])/g, '$1_$2');
}

function row(path: string, leaf: LeafSchema): SettingRow {
  const name = words(path);
  const type = leafTypes[leaf.type ?? ''] ?? (leaf.type as 'string' | 'integer' | 'boolean');
  const separator = leaf.separator ?? ',';
  const shown =
    typeof leaf.default === 'object' && leaf.default !== null
      ? Object.values(leaf.default).join(separator)
      : leaf.default;
  return {
    path,
    variable: `CLOUDEASYML_${name.toUpperCase()}`,
    flag: leaf.secret ? undefined : name.toLowerCase().replace(/_/g, '-'),
    type,
    separator,
    values: leaf.enum,
    defaultText: leaf.defaultText ?? (shown === '' ? 'none' : String(shown)),
    description: leaf.description ?? '',
  };
}

function rows(schema: LeafSchema, prefix: string): SettingRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    property.properties ? rows(property, `${prefix}${key}.`) : [row(`${prefix}${key}`, property)],
  );
}

/** Every setting, in the schema's order. */
export const settingsTable: readonly SettingRow[] = rows(
  z.toJSONSchema(settingsSchema, { io: 'input' }) as LeafSchema,
  '',
);

/** The flags as `--help` lists them, one setting in two lines. */
export function settingsHelp(): string {
  return settingsTable
    .filter((setting) => setting.flag)
    .map((setting) => {
      const value = setting.values?.join('|') ?? setting.type;
      return `  --${setting.flag} <${value}>  (default: ${setting.defaultText})\n      ${setting.description}`;
    })
    .join('\n');
}
