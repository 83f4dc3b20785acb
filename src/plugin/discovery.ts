import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import type { ModelMetadata } from './baseModel.js';
import { PluginCatalog } from './catalog.js';
import { readPluginConfig } from './config.js';
import { inspectPlugin } from './inspectPlugin.js';
import { metadataOfFolder } from './metadata.js';
import { checkDependencies } from './requirements.js';
import type { ServingConfig } from './servingConfig.js';

/** A plugin that can be deployed. */
export interface Plugin {
  /** `code`: a class in TypeScript or JavaScript; `onnx`: a model file and its config. */
  kind: 'code' | 'onnx';
  /** The model's name, as `POST /deployments` takes it. */
  name: string;
  directory: string;
  /** The file that makes it a plugin: its index file, or its model. */
  entry: string;
  metadata: ModelMetadata;
  /** `config.yaml` without the blocks that are the server's. */
  config: Record<string, unknown>;
  serving: ServingConfig;
  /** Whether it turns streams of inputs into streams of outputs. */
  streams: boolean;
  /** The `.onnx` file of a plugin with no code. */
  modelFile?: string;
}

/** A folder that was meant as a plugin and is not served. */
export interface BrokenPlugin {
  /** The folder's name. */
  name: string;
  directory: string;
  /** Full sentences for the plugin's author. */
  reason: string;
}

export interface DiscoveryOptions {
  /** Milliseconds that a plugin's import and `getMetadata()` may take; 30,000 unless told. */
  timeoutMs?: number;
}

const entryNames = ['index.ts', 'index.js', 'index.mts', 'index.mjs'];

/**
 * Finds the plugins in these folders: each sub-folder with an index file is a code plugin, else with a
 * `model.onnx` or a `serving.model` in its config.yaml one without code. What cannot be served, also a
 * model under another name, is listed as broken, with its reason; it keeps nothing else from being served.
 */
export async function discoverPlugins(
  folders: readonly string[],
  { timeoutMs = 30_000 }: DiscoveryOptions = {},
): Promise<PluginCatalog> {
  const unique = [...new Set(folders.map((folder) => path.resolve(folder)))];
  const found = (await Promise.all(unique.map(candidates))).flat();
  const results = await mapLimited(found, (candidate) => examine(candidate, timeoutMs));
  return new PluginCatalog(results);
}

/** The plugin folders that the environment names (`CLOUDEASYML_PLUGINS`), or `plugins` below the working folder. */
export function defaultPluginFolders(): string[] {
  const named = (process.env.CLOUDEASYML_PLUGINS ?? '').split(':').filter(Boolean);
  return named.length > 0 ? named : ['plugins'];
}

/** A sub-folder that may be a plugin; `reason` is set where that is known to fail. */
interface Candidate {
  directory: string;
  entry?: string;
  reason?: string;
}

async function candidates(folder: string): Promise<Candidate[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return [{ directory: folder, reason: `There is no plugin folder ${folder}.` }];
  }
  const wanted = names.filter((name) => !/^[._]/.test(name) && name !== 'node_modules').sort();
  const seen = await Promise.all(wanted.map((name) => candidate(path.join(folder, name))));
  return seen.filter((one) => one !== undefined);
}

async function candidate(directory: string): Promise<Candidate | undefined> {
  // stat, not the directory entry: a plugin may be linked into the folder.
  const isFolder = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return undefined;
  const entry = entryNames.find((name) => existsSync(path.join(directory, name)));
  if (entry) return { directory, entry: path.join(directory, entry) };
  const isModel = ['model.onnx', 'config.yaml'].some((name) =>
    existsSync(path.join(directory, name)),
  );
  if (isModel) return { directory };
  const reason = unnamedModels(await readdir(directory).catch(() => []));
  return reason === undefined ? undefined : { directory, reason };
}

/** What to do about models that nothing makes a plugin of; undefined where there are none. */
function unnamedModels(files: readonly string[]): string | undefined {
  const models = files.filter((name) => name.endsWith('.onnx')).sort();
  if (models.length === 0) return undefined;
  return (
    `It has ${models.join(', ')}, which nothing names. To serve it, call it model.onnx, or name it in a ` +
    `config.yaml beside it: serving: {model: ${models[0]}}.`
  );
}

async function examine(candidate: Candidate, timeoutMs: number): Promise<Plugin | BrokenPlugin> {
  const { directory } = candidate;
  const name = path.basename(directory);
  if (candidate.reason) return { name, directory, reason: candidate.reason };
  try {
    const { birthtime, mtime } = await stat(directory);
    const createdAt = (birthtime.getTime() > 0 ? birthtime : mtime).toISOString();
    return candidate.entry
      ? await codePlugin(directory, candidate.entry, createdAt, timeoutMs)
      : await onnxPlugin(directory, createdAt);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { name, directory, reason: error.message };
  }
}

async function codePlugin(
  directory: string,
  entry: string,
  createdAt: string,
  timeoutMs: number,
): Promise<Plugin> {
  const { config, serving } = await readPluginConfig(directory, 'code');
  checkDependencies(directory);
  const plugin = { name: path.basename(directory), directory, entry, config, serving };
  const { metadata, streams } = await inspectPlugin(plugin, createdAt, timeoutMs);
  return { ...plugin, kind: 'code', name: metadata.name, metadata, streams };
}

async function onnxPlugin(directory: string, createdAt: string): Promise<Plugin> {
  const { config, serving, metadata, metadataPlace } = await readPluginConfig(directory, 'onnx');
  const modelFile = path.resolve(directory, serving.model ?? 'model.onnx');
  if (!existsSync(modelFile)) {
    const hint = unnamedModels(await readdir(directory));
    throw new CloudEasyMLError(
      'model_load_failed',
      serving.model === undefined
        ? `It has a config.yaml, but neither an index.ts or index.js nor a model.onnx.${hint ? ` ${hint}` : ''}`
        : `serving.model names ${serving.model}, and there is no file ${modelFile}.`,
    );
  }
  const name = path.basename(directory);
  return {
    kind: 'onnx',
    name,
    directory,
    entry: modelFile,
    metadata: metadataOfFolder(name, metadata, createdAt, metadataPlace),
    config,
    serving,
    streams: false,
    modelFile,
  };
}

/** Few at a time: each inspection is a thread that compiles and imports. */
async function mapLimited<In, Out>(items: In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  const waiting = items.entries();
  const lane = async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, lane));
  return results;
}
