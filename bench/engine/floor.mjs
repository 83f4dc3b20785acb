import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectSame } from '../answers.mjs';
import { readFloats } from '../models/floatFile.mjs';
import { runToEnd } from '../processes.mjs';

const require = createRequire(import.meta.url);
const source = fileURLToPath(new URL('floor.cc', import.meta.url));

function headersFolder() {
  const headers = path.dirname(require.resolve('com.github.asus4.onnxruntime/package.json'));
  return path.join(
    headers,
    'Plugins/iOS~/onnxruntime.xcframework/ios-arm64/onnxruntime.framework/Headers',
  );
}

/**
 * Compiles the C loop. It is a program of its own, so that nothing of the engine's is in it.
 *
 * @param {string} folder where the program goes
 * @returns {Promise<string>} its path
 */
export async function buildFloor(folder) {
  const program = path.join(folder, 'floor');
  await runToEnd(process.env.CXX ?? 'c++', [
    '-std=c++17',
    '-O2',
    '-DORT_API_MANUAL_INIT',
    '-isystem',
    headersFolder(),
    source,
    '-o',
    program,
    '-ldl',
  ]);
  return program;
}

/**
 * @param {string} program
 * @param {string} library of ONNX Runtime: the one that the engine uses
 * @param {import('./engineBench.mjs').EngineCase} engineCase
 * @returns {Promise<import('./engineBench.mjs').CallTimes>}
 */
export async function timeFloor(program, library, { files, dims, seconds }) {
  const output = `${files.model}.floor`;
  const printed = await runToEnd(program, [
    library,
    files.model,
    files.input,
    String(dims[0]),
    String(seconds),
    output,
  ]);
  expectSame(readFloats(output), readFloats(files.expected), 'The C loop');
  return JSON.parse(printed);
}
