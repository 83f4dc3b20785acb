import { parseArgs } from 'node:util';
import { CloudEasyMLError } from '../errors.js';
import { defaultPluginFolders, discoverPlugins, type Plugin } from '../plugin/discovery.js';
import { metricsTable, ProgressLine } from '../training/progressLine.js';
import { trainPlugin } from '../training/trainer.js';
import { readText } from '../validation/textFile.js';
import { readYaml } from '../validation/yamlFile.js';
import { interruptible } from './interruptible.js';

const usage = `Usage: npm run train -- <plugin> [--data file.json] [--config file.yaml] [--plugins folders]

  <plugin>     the model's name, as GET /models lists it
  --data       a JSON file, handed to the plugin's train(); without it the plugin uses its own data
  --config     a YAML file, the settings of this training
  --plugins    plugin folders, separated by ":" (default: CLOUDEASYML_PLUGINS, else ./plugins)
`;

/**
 * `npm run train`: trains a plugin's model in a thread of its own, and shows its progress and metrics.
 *
 * @param args what follows `train` on the command line
 * @returns the exit code: 0 trained, 1 failed (one line on stderr says why), 130 stopped by Ctrl-C
 */
export function runTrain(args: string[]): Promise<number> {
  return interruptible(async (signal) => {
    await train(args, signal);
    return 0;
  }, 'The training was stopped.');
}

async function train(args: string[], signal: AbortSignal): Promise<void> {
  const { name, values } = parse(args);
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const data = values.data === undefined ? undefined : await readJson(values.data);
  const config = values.config === undefined ? {} : (await readYaml(values.config)).value;
  const plugin = await findPlugin(name, values.plugins?.split(':').filter(Boolean));
  const line = new ProgressLine(process.stdout);
  process.stdout.write(`Training ${plugin.name} ${plugin.metadata.version} ...\n`);
  try {
    const result = await trainPlugin(plugin, {
      data,
      config,
      signal,
      onProgress: (progress) => line.show(progress),
    });
    line.close();
    process.stdout.write(`${result.status}\n${metricsTable(result.metrics ?? {})}`);
    if (result.savedTo) process.stdout.write(`Saved to ${result.savedTo}\n`);
  } finally {
    line.close();
  }
}

function parse(args: string[]) {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        config: { type: 'string' },
        plugins: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const name = positionals[0];
    if (positionals.length !== 1 && !values.help) {
      throw new Error(`expected one plugin's name but received ${positionals.length}`);
    }
    return { name: name ?? '', values };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CloudEasyMLError('bad_request', `${message}\n\n${usage}`, { cause: error });
  }
}

/**
 * @throws CloudEasyMLError model_not_found, or model_load_failed with the reason where the plugin is broken
 */
export async function findPlugin(name: string, folders = defaultPluginFolders()): Promise<Plugin> {
  const catalog = await discoverPlugins(folders);
  const isThere = catalog.plugins.some((plugin) => plugin.name === name);
  const broken = isThere ? undefined : catalog.broken.find((plugin) => plugin.name === name);
  if (broken) {
    const reason = `The plugin ${name} in ${broken.directory} is broken. ${broken.reason}`;
    throw new CloudEasyMLError('model_load_failed', reason);
  }
  return catalog.find(name);
}

/** @throws CloudEasyMLError malformed_json, naming the file */
export async function readJson(file: string): Promise<unknown> {
  const source = await readText(file);
  try {
    return JSON.parse(source);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new CloudEasyMLError('malformed_json', `${file}: not valid JSON: ${what}`, {
      cause: error,
    });
  }
}
