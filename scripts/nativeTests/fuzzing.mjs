// The fuzz targets of the native code: test/native/fuzz, by CMake and clang's libFuzzer.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildTargets, isInstalled, root } from '../cmake.mjs';
import { capture } from '../processes.mjs';

export const fuzzTargets = [
  'requestBody',
  'binaryTensors',
  'frames',
  'jsonScanner',
  'jsonText',
  'halfFloats',
];

const folder = path.join(root, 'test/native/fuzz');
const longestInput = 1024;
const target = 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }';

/** @returns {string | undefined} a clang that has libFuzzer and the sanitizers */
function fuzzCompiler() {
  const versions = Array.from({ length: 20 }, (_, index) => `clang++-${30 - index}`);
  return [process.env.CXX ?? 'clang++', 'clang++', ...versions].find(
    (compiler) =>
      spawnSync(
        compiler,
        ['-fsanitize=fuzzer,address,undefined', '-x', 'c++', '-', '-o', '/dev/null'],
        { input: target },
      ).status === 0,
  );
}

/** @returns {string | undefined} what is missing to fuzz */
export function fuzzObstacle() {
  if (!isInstalled('cmake')) return 'CMake is not installed';
  if (!fuzzCompiler()) return 'no clang with libFuzzer is installed (clang libclang-rt-dev)';
  return undefined;
}

/**
 * @returns {Promise<string>} the folder that has a program for each target
 * @throws Error with the compiler's lines
 */
export async function buildFuzzers() {
  const build = await buildTargets({
    folder: 'build-fuzz',
    targets: ['fuzzers'],
    options: {
      FUZZERS: 'ON',
      SANITIZE: 'address',
      CMAKE_CXX_COMPILER: /** @type {string} */ (fuzzCompiler()),
    },
  });
  return path.join(build, 'test/native');
}

/**
 * Feeds a target until its runs or seconds are over, or something is found. What is found is below the
 * findings' folder then, as an input that shows it again.
 *
 * @param {string} programs from buildFuzzers()
 * @param {string} name of the target
 * @param {object} options
 * @param {string} options.corpus a folder of inputs to begin with, and to add to
 * @param {string} options.findings a folder
 * @param {string[]} options.limits as libFuzzer takes them: `-runs=1000`
 * @param {boolean} [options.shown] prints what libFuzzer prints
 * @returns {Promise<{ status: number | null, output: string }>}
 */
export function runFuzzer(programs, name, { corpus, findings, limits, shown = false }) {
  for (const each of [corpus, findings]) mkdirSync(each, { recursive: true });
  return capture(
    path.join(programs, name),
    [
      ...limits,
      `-max_len=${longestInput}`,
      `-dict=${path.join(folder, 'json.dict')}`,
      `-artifact_prefix=${path.join(findings, `${name}-`)}`,
      '-print_final_stats=1',
      corpus,
      path.join(folder, 'seeds', name),
    ],
    {
      // Short stacks of allocations and a small quarantine make it half as fast again.
      env: { ASAN_OPTIONS: 'malloc_context_size=3:quarantine_size_mb=16' },
      shown,
    },
  );
}
