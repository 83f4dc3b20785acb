import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';

/** One request, sent again and again. */
export interface LoadRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** What a closed loop saw: each connection sends its next request when its answer has come. */
export interface LoadResult {
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
  /** Connection errors, timeouts and statuses other than 2xx. */
  failures: number;
}

export interface LoadGenerator {
  readonly name: string;
  /** @param seconds a whole number */
  run(request: LoadRequest, connections: number, seconds: number): Promise<LoadResult>;
}

// wrk is scripted in Lua; the body is read from a file, since it may hold anything.
const wrkScript = `local file = assert(io.open(os.getenv('TUNE_BODY'), 'rb'))
wrk.method = 'POST'
wrk.body = file:read('*a')
file:close()

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requestsPerSecond": %f, "p50Us": %d, "p99Us": %d, "failures": %d}\\n',
    summary.requests * 1e6 / summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;

/**
 * wrk where it is installed, else autocannon, which costs several times the CPU time for each request
 * and tells latencies in whole milliseconds.
 *
 * @param folder for what the generator reads
 * @throws CloudEasyMLError bad_request where there is neither
 */
export async function chooseLoadGenerator(
  folder: string,
  signal: AbortSignal,
): Promise<LoadGenerator> {
  // A quarter of the cores makes the load, the rest is the server's.
  const threads = Math.max(1, availableParallelism() >> 2);
  const hasWrk = spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined;
  return hasWrk ? wrk(folder, threads, signal) : autocannonLoad(threads);
}

function wrk(folder: string, maxThreads: number, signal: AbortSignal): LoadGenerator {
  const script = path.join(folder, 'post.lua');
  const bodyFile = path.join(folder, 'body.json');
  writeFileSync(script, wrkScript);
  return {
    name: 'wrk',
    run: async ({ url, headers, body }, connections, seconds) => {
      writeFileSync(bodyFile, body);
      const args = [
        `--threads=${Math.min(maxThreads, connections)}`,
        `--connections=${connections}`,
        `--duration=${seconds}s`,
        '--timeout=30s',
        `--script=${script}`,
        ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
        url,
      ];
      const output = await outputOf('wrk', args, { ...process.env, TUNE_BODY: bodyFile }, signal);
      const line = output.split('\n').findLast((each) => each.startsWith('{'));
      if (!line) throw new CloudEasyMLError('internal', `wrk told nothing:\n${output}`);
      return JSON.parse(line) as LoadResult;
    },
  };
}

function outputOf(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new CloudEasyMLError('internal', `${program} ended with ${code}:\n${output}`));
    });
  });
}

async function autocannonLoad(threads: number): Promise<LoadGenerator> {
  const autocannon = await import('autocannon').then(
    (module) => module.default,
    () => {
      throw new CloudEasyMLError(
        'bad_request',
        'Tuning needs a load generator and found neither wrk (on Debian or Ubuntu: apt-get install -y ' +
          'wrk, on macOS: brew install wrk) nor the package autocannon (npm install autocannon).',
      );
    },
  );
  return {
    name: 'autocannon (latencies in whole milliseconds)',
    run: async ({ url, headers, body }, connections, seconds) => {
      const result = await autocannon({
        url,
        method: 'POST',
        headers,
        body,
        connections,
        duration: seconds,
        timeout: 30,
        workers: Math.min(threads, connections),
      });
      return {
        requestsPerSecond: result['2xx'] / result.duration,
        p50Us: result.latency.p50 * 1000,
        p99Us: result.latency.p99 * 1000,
        failures: result.errors + result.non2xx,
      };
    },
  };
}
