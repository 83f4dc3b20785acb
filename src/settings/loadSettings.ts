import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { CloudEasyMLError } from '../errors.js';
import { check, type Fault } from '../validation/faults.js';
import { parseYaml, type YamlFile } from '../validation/yamlFile.js';
import { type Settings, settingsSchema } from './settingsSchema.js';
import { type SettingRow, settingsTable } from './settingsTable.js';

/** Where settings come from. Everything defaults to the process's own. */
export interface SettingsSources {
  /** Holds config.yaml; relative paths in settings start here. */
  directory?: string;
  env?: NodeJS.ProcessEnv;
  /** Command-line flags, without the command. */
  args?: readonly string[];
  /** Cores that the defaults share out. */
  cores?: number;
}

/** Settings, and what is odd about them but not wrong: one sentence each, for the log. */
export interface LoadedSettings {
  settings: Settings;
  warnings: string[];
}

type Tree = Record<string, unknown>;

/** Raw settings as they are laid over each other, and for each who set it last. */
class Layers {
  readonly values: Tree = {};
  readonly #sources = new Map<string, string>();
  #file: YamlFile | undefined;

  /** Lays every leaf of config.yaml down, so that a later source overrides just what it names. */
  setAll(file: YamlFile): void {
    this.#file = file;
    this.#lay(file.value, '', file.file);
  }

  set(dotted: string, value: unknown, source: string): void {
    const keys = dotted.split('.');
    const last = keys.pop() ?? dotted;
    let node = this.values;
    for (const key of keys) {
      const next = node[key];
      if (isTree(next)) {
        node = next;
      } else {
        node[key] = {};
        node = node[key] as Tree;
      }
    }
    node[last] = value;
    this.#sources.set(dotted, source);
  }

  /** Who set what is at fault, or what it lies in. */
  sourceOf({ path: at, steps }: Fault): string {
    const source = this.#sourceAt(at);
    const line = source === this.#file?.file ? this.#file?.lineOf(steps) : undefined;
    return line === undefined ? source : `${source}, line ${line}`;
  }

  #sourceAt(fault: string): string {
    for (let at = fault; at !== ''; at = at.replace(/(\.|\[|^)[^.[]*$/, '')) {
      const source = this.#sources.get(at);
      if (source) return source;
    }
    return 'the settings';
  }

  #lay(tree: Tree, prefix: string, file: string): void {
    for (const [key, value] of Object.entries(tree)) {
      const dotted = `${prefix}${key}`;
      const group = settingsTable.some((setting) => setting.path.startsWith(`${dotted}.`));
      if (group && isTree(value)) this.#lay(value, `${dotted}.`, file);
      else this.set(dotted, value, file);
    }
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readFile(layers: Layers, directory: string): void {
  const file = path.join(directory, 'config.yaml');
  if (!existsSync(file)) return;
  try {
    layers.setAll(parseYaml(readFileSync(file, 'utf8'), file));
  } catch (cause) {
    if (cause instanceof CloudEasyMLError) throw invalid(cause.message, cause);
    throw invalid(`${file} cannot be read: ${(cause as Error).message}.`, cause);
  }
}

function invalid(message: string, cause: unknown): CloudEasyMLError {
  return new CloudEasyMLError('invalid_settings', message, { cause });
}

/** Text that is no value of the setting's type stays text, for the schema to complain of. */
function fromText(setting: SettingRow, text: string): unknown {
  if (setting.type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (setting.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  if (setting.type !== 'list' && setting.type !== 'mapping') return text;
  const items = text
    .split(setting.separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
  if (setting.type === 'list') return items;
  const pairs = items.map((item) => /^([^=]*)=(.*)$/.exec(item)?.slice(1));
  return pairs.every((pair) => pair !== undefined) ? Object.fromEntries(pairs) : text;
}

function readEnvironment(layers: Layers, env: NodeJS.ProcessEnv, warnings: string[]): void {
  const known = new Map(settingsTable.map((setting) => [setting.variable, setting]));
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('CLOUDEASYML_') || !text) continue;
    const setting = known.get(name);
    if (setting) {
      layers.set(setting.path, fromText(setting, text), `the environment variable ${name}`);
    } else {
      warnings.push(`The environment variable ${name} is not a setting and is ignored.`);
    }
  }
}

function readFlags(layers: Layers, args: readonly string[]): void {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const { flag } of settingsTable) if (flag) options[flag] = { type: 'string' };
  let values: Record<string, unknown>;
  try {
    values = parseArgs({ args: [...args], options, strict: true }).values;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CloudEasyMLError('invalid_settings', `The command line is not understood: ${reason}`);
  }
  for (const setting of settingsTable) {
    const text = setting.flag ? values[setting.flag] : undefined;
    if (typeof text === 'string') {
      layers.set(setting.path, fromText(setting, text), `the flag --${setting.flag}`);
    }
  }
}

function rejection(faults: readonly Fault[], layers: Layers): CloudEasyMLError {
  const lines = faults.map((fault) => {
    const shown = /^adminKey/.test(fault.path) ? fault.expectation : fault.message;
    const end = /[.?]$/.test(shown) ? '' : '.';
    return `The setting ${fault.path} (from ${layers.sourceOf(fault)}): ${shown}${end}`;
  });
  return new CloudEasyMLError('invalid_settings', lines.join('\n'), { path: faults[0]?.path });
}

/**
 * Reads the settings: config.yaml in the working folder, over that the `CLOUDEASYML_*` environment
 * variables (an empty one counts as unset), over those the command-line flags.
 *
 * @throws CloudEasyMLError `invalid_settings` with a line for each fault: the setting, who set it,
 *   what was expected and what came
 */
export function loadSettings(sources: SettingsSources = {}): LoadedSettings {
  const directory = path.resolve(sources.directory ?? process.cwd());
  const cores = sources.cores ?? os.availableParallelism();
  const warnings: string[] = [];
  const layers = new Layers();
  readFile(layers, directory);
  readEnvironment(layers, sources.env ?? process.env, warnings);
  readFlags(layers, sources.args ?? []);

  const checked = check(settingsSchema, layers.values);
  if (checked.faults) throw rejection(checked.faults, layers);
  const given = checked.value;

  // Workers and their ONNX Runtime threads share the cores. Of many, one is left to the event loop; of few it
  // would be missed: a large model keeps every worker busy and the event loop idle.
  const shared = cores > 4 ? cores - 1 : cores;
  const share = (by: number | undefined) => Math.max(1, Math.floor(shared / (by ?? 1)));
  const workers = given.workers ?? share(given.onnxRuntime.intraOpThreads);
  const intraOpThreads = given.onnxRuntime.intraOpThreads ?? share(workers);
  if (workers * intraOpThreads > cores) {
    warnings.push(
      `workers × onnxRuntime.intraOpThreads is ${workers} × ${intraOpThreads} = ` +
        `${workers * intraOpThreads}, but there are only ${cores} cores: threads will wait for ` +
        'each other. Lower one of them, or leave one out and it is worked out.',
    );
  }
  const { library, providerLibraries } = given.onnxRuntime;
  return {
    settings: {
      ...given,
      workers,
      plugins: given.plugins.map((folder) => path.resolve(directory, folder)),
      data: path.resolve(directory, given.data),
      onnxRuntime: {
        ...given.onnxRuntime,
        intraOpThreads,
        // A bare file name is left to the loader's search path.
        ...(library?.includes('/') && { library: path.resolve(directory, library) }),
        providerLibraries: Object.fromEntries(
          Object.entries(providerLibraries).map(([name, file]) => [
            name,
            path.resolve(directory, file),
          ]),
        ),
      },
    },
    warnings,
  };
}
