import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CloudEasyMLError } from '../errors.js';
import type { Plugin } from '../plugin/discovery.js';
import { randomRequest } from '../tuning/sampleRequest.js';
import { frontierOf, type Measurement, type TunedSetting } from '../tuning/search.js';
import { setServing } from '../tuning/servingBlock.js';
import { tune } from '../tuning/tuner.js';
import { interruptible } from './interruptible.js';
import { findPlugin, readJson } from './train.js';

const usage = `Usage: npm run tune -- <plugin> --latency-p99 10ms [--data file.json] [--time 2m] [--dry-run] [--plugins folders]

  <plugin>       the model's name, as GET /models lists it
  --latency-p99  what 99 of 100 requests must be answered within: 500us, 10ms, 1.5s
  --data         a JSON file with a body of POST /predict/{deploymentId}: {"data": …, "options"?: …};
                 without it random rows are made for a plugin with no code whose inputs have fixed lengths
  --time         how long the search may take: 30s, 2m (default 2m)
  --dry-run      only tells the best setting, and leaves config.yaml as it is
  --plugins      plugin folders, separated by ":" (default: CLOUDEASYML_PLUGINS, else ./plugins)
`;

/**
 * `npm run tune`: finds the setting with the most requests per second within a p99 latency, and writes
 * it to the plugin's config.yaml.
 *
 * @param args what follows `tune` on the command line
 * @returns the exit code: 0 found, 1 failed or nothing within the limit, 130 stopped by Ctrl-C
 */
export function runTune(args: string[]): Promise<number> {
  return interruptible(
    (signal) => run(args, signal),
    'The tuning was stopped; nothing was written.',
  );
}

async function run(args: string[], signal: AbortSignal): Promise<number> {
  const options = readArguments(args);
  if (options === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const { name, folders, dataFile, p99LimitUs, budgetMs, dryRun } = options;
  const plugin = await findPlugin(name, folders);
  const body = await requestBody(plugin, dataFile);
  const cores = availableParallelism();
  const { measurements, best, cutShort } = await tune({
    plugin,
    body,
    p99LimitUs,
    budgetMs,
    cores,
    signal,
    onStart: (generator) =>
      say(
        `Tuning ${plugin.name} for a p99 of at most ${p99LimitUs / 1000} ms on ${cores} cores, ` +
          `loaded by ${generator}, within ${budgetMs / 1000} seconds`,
      ),
    onMeasurement: (measurement) => process.stderr.write(`· ${sentence(measurement)}\n`),
  });
  say(`\nThe frontier: no measured setting beats these in both throughput and p99\n`);
  say(table(frontierOf(measurements)));
  if (cutShort) say('\nTime ran out before the grid was through: a longer --time may find better.');
  if (!best) {
    say(
      `\nNo setting kept p99 within ${p99LimitUs / 1000} ms; nothing was written. The frontier shows what can be had.`,
    );
    return 1;
  }
  say(`\nBest: ${sentence(best)}`);
  await write(plugin, best.setting, dryRun);
  return 0;
}

function readArguments(args: string[]) {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        'latency-p99': { type: 'string' },
        data: { type: 'string' },
        time: { type: 'string', default: '2m' },
        'dry-run': { type: 'boolean', default: false },
        plugins: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return 'help';
    const [name] = positionals;
    if (name === undefined || positionals.length > 1) {
      throw new Error(`expected one plugin's name but received ${positionals.length}`);
    }
    const limit = values['latency-p99'];
    if (limit === undefined) throw new Error('expected --latency-p99, such as 10ms');
    return {
      name,
      folders: values.plugins?.split(':').filter(Boolean),
      dataFile: values.data,
      p99LimitUs: microseconds('--latency-p99', limit),
      budgetMs: microseconds('--time', values.time) / 1000,
      dryRun: values['dry-run'],
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CloudEasyMLError('bad_request', `${message}\n\n${usage}`, { cause: error });
  }
}

const units = { us: 1, ms: 1000, s: 1e6, m: 60e6 } as const;

function microseconds(option: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(us|ms|s|m)$/.exec(text) ?? [];
  const value = Number(number) * units[unit as keyof typeof units];
  if (value > 0) return value;
  throw new Error(
    `expected a time such as 500us, 10ms, 30s or 2m for ${option} but received "${text}"`,
  );
}

async function requestBody(plugin: Plugin, dataFile: string | undefined): Promise<string> {
  if (dataFile !== undefined) {
    const body = await readJson(dataFile);
    if (typeof body === 'object' && body !== null && 'data' in body) return JSON.stringify(body);
    throw new CloudEasyMLError(
      'bad_request',
      `${dataFile}: expected a body of POST /predict/{deploymentId}, {"data": …}.`,
    );
  }
  if (plugin.modelFile !== undefined) return randomRequest(plugin.modelFile);
  throw new CloudEasyMLError(
    'bad_request',
    `What ${plugin.name} takes can't be guessed, since it has code of its own: give a request with --data file.json, {"data": …}.`,
  );
}

async function write(plugin: Plugin, setting: TunedSetting, dryRun: boolean): Promise<void> {
  const { workers, intraOpThreads, maxBatchSize, maxQueueDelayUs } = setting;
  const file = path.join(plugin.directory, 'config.yaml');
  const text = `serving.maxBatchSize: ${maxBatchSize} and serving.maxQueueDelayUs: ${maxQueueDelayUs}`;
  if (dryRun) {
    say(`For ${file}: ${text}`);
  } else {
    const source = existsSync(file) ? await readFile(file, 'utf8') : '';
    await writeFile(file, setServing(source, { maxBatchSize, maxQueueDelayUs }));
    say(`Wrote ${text} to ${file}`);
  }
  say(
    'Workers and threads are the server’s, for all of its plugins; start it with:\n' +
      `  CLOUDEASYML_WORKERS=${workers} CLOUDEASYML_ONNX_RUNTIME_INTRA_OP_THREADS=${intraOpThreads} npm start`,
  );
}

const columns = [
  'workers',
  'intraOpThreads',
  'maxBatchSize',
  'maxQueueDelayUs',
  'connections',
  'req/s',
  'p50 ms',
  'p99 ms',
] as const;

const ms = (us: number) => (us / 1000).toFixed(2);

function table(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ setting, connections, requestsPerSecond, p50Us, p99Us }) => [
    setting.workers,
    setting.intraOpThreads,
    setting.maxBatchSize,
    setting.maxQueueDelayUs,
    connections,
    Math.round(requestsPerSecond),
    ms(p50Us),
    ms(p99Us),
  ]);
  const lines = [columns, ...rows].map((row) =>
    row.map((cell, column) => String(cell).padStart(columns[column]!.length)).join('  '),
  );
  return lines.join('\n');
}

function sentence({ setting, connections, requestsPerSecond, p99Us, failures }: Measurement) {
  const { workers, intraOpThreads, maxBatchSize, maxQueueDelayUs } = setting;
  const failed = failures > 0 ? `, ${failures} failed` : '';
  return (
    `${workers} × ${intraOpThreads} threads, batches of ${maxBatchSize}, delay ${maxQueueDelayUs} µs, ` +
    `${connections} connections: ${Math.round(requestsPerSecond)} req/s, p99 ${ms(p99Us)} ms${failed}`
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
