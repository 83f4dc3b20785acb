// Builds single targets of the root's CMakeLists.txt, without Node.js's headers.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture } from './processes.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Where npm put a package, whether it was hoisted above this one or not. */
export function modulesFolder() {
  const found = createRequire(import.meta.url).resolve('@nozbe/simdjson/package.json');
  return path.resolve(path.dirname(found), '..', '..');
}

/** @param {string} program */
export const isInstalled = (program) =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

/**
 * @param {object} build
 * @param {string} build.folder below the root
 * @param {string[]} build.targets
 * @param {Record<string, string>} [build.options] CMake's variables
 * @returns {Promise<string>} the build folder's path
 * @throws Error with the compiler's lines
 */
export async function buildTargets({ folder, targets, options = {} }) {
  const build = path.join(root, folder);
  const variables = Object.entries({ MODULES: modulesFolder(), ...options });
  await cmake(['-S', root, '-B', build, ...variables.map(([name, value]) => `-D${name}=${value}`)]);
  await cmake(['--build', build, '--parallel', '4', '--target', ...targets]);
  return build;
}

/** @param {string[]} args */
async function cmake(args) {
  const { status, output } = await capture('cmake', args);
  if (status !== 0) throw new Error(`cmake failed:\n${output}`);
}
