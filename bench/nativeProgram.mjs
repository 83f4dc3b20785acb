import { fileURLToPath } from 'node:url';
import { runToEnd } from './processes.mjs';

/** @type {Map<string, Promise<string>>} */
const built = new Map();

/**
 * Compiles a C++ program of one source file, once.
 *
 * @param {object} options
 * @param {URL} options.source
 * @param {string} options.program where it goes
 * @param {readonly string[]} [options.flags] for the compiler, beside the usual ones
 * @returns {Promise<string>} its path
 */
export function buildProgram({ source, program, flags = [] }) {
  const building = built.get(program) ?? compile(source, program, flags);
  built.set(program, building);
  return building;
}

/** @type {(source: URL, program: string, flags: readonly string[]) => Promise<string>} */
async function compile(source, program, flags) {
  const files = [fileURLToPath(source), '-o', program];
  // Libraries go last.
  await runToEnd(process.env.CXX ?? 'c++', ['-std=c++17', '-O2', '-pthread', ...files, ...flags]);
  return program;
}
