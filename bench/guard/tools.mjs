// Builds what the guard counts with: bench/guard/CMakeLists.txt.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = path.join(root, 'build-guard');
const modules = path.resolve(
  path.dirname(createRequire(import.meta.url).resolve('@nozbe/simdjson/package.json')),
  '../..',
);

/** @typedef {'requestScript' | 'callCounter'} Tool */

/** @type {Record<Tool, string>} */
const files = { requestScript: 'requestScript', callCounter: 'callCounter.so' };

/** @param {string} program */
export const isInstalled = (program) =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

/**
 * @param {Tool} tool
 * @returns {string} its path
 * @throws Error with the compiler's lines
 */
export function buildTool(tool) {
  cmake(['-S', root, '-B', build, '-DGUARD=ON', `-DMODULES=${modules}`]);
  cmake(['--build', build, '--target', tool, '--parallel', '4']);
  return path.join(build, 'bench/guard', files[tool]);
}

/** @param {string[]} args */
function cmake(args) {
  const { status, stdout, stderr, error } = spawnSync('cmake', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cmake failed:\n${error?.message ?? stdout + stderr}`);
}
