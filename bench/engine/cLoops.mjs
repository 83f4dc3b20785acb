import { createRequire } from 'node:module';
import path from 'node:path';
import { runtimeInfo } from 'cloudeasyml';
import { buildProgram } from '../nativeProgram.mjs';
import { runToEnd } from '../processes.mjs';

const require = createRequire(import.meta.url);

function headersFolder() {
  const headers = path.dirname(require.resolve('com.github.asus4.onnxruntime/package.json'));
  return path.join(
    headers,
    'Plugins/iOS~/onnxruntime.xcframework/ios-arm64/onnxruntime.framework/Headers',
  );
}

/**
 * Compiles a C loop, once. It is a program of its own, so that nothing of the engine's is in it.
 *
 * @param {'floor' | 'throughput'} name
 * @param {string} folder where the program goes
 * @returns {Promise<string>} its path
 */
export function buildCLoop(name, folder) {
  return buildProgram({
    source: new URL(`${name}.cc`, import.meta.url),
    program: path.join(folder, name),
    flags: ['-DORT_API_MANUAL_INIT', '-isystem', headersFolder(), '-ldl'],
  });
}

/**
 * Times one call after the other on one thread.
 *
 * @param {string} program floor
 * @param {{ model: string, type: string, dims: readonly number[], input: string, seconds: number,
 *   output: string }} call `output` is the file that the answer goes to
 * @returns {Promise<{ allocated: number, owned: number }>} microseconds per call
 */
export async function timeFloor(program, { model, type, dims, input, seconds, output }) {
  const { library } = runtimeInfo();
  return JSON.parse(
    await runToEnd(program, [library, model, type, dims.join('x'), input, String(seconds), output]),
  );
}

/**
 * Runs a model on several threads at once, all on one session.
 *
 * @param {string} program throughput
 * @param {{ model: string, dims: readonly number[], input: string, threads: number,
 *   intraOpThreads?: number, seconds: number, output: string, cpus?: string }} load
 * @returns {Promise<{ runs: number, seconds: number, p50Us: number, p90Us: number, p99Us: number,
 *   residentBefore: number, resident: number }>}
 */
export async function timeThroughput(program, load) {
  const { model, dims, input, threads, intraOpThreads = 1, seconds, output, cpus } = load;
  const { library } = runtimeInfo();
  const numbers = [threads, intraOpThreads, seconds].map(String);
  const args = [library, model, dims.join('x'), input, ...numbers, output];
  return JSON.parse(await runToEnd(program, args, { cpus }));
}
