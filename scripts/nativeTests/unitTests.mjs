// The unit tests of the native code: test/native, by CMake and doctest.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { buildTargets, isInstalled } from '../cmake.mjs';
import { capture } from '../processes.mjs';

/** What has the unit tests' header, on Debian. */
const doctestPackage = 'doctest-dev';

export const hasDoctest = () =>
  spawnSync(
    process.env.CXX ?? 'c++',
    ['-E', '-x', 'c++', '-include', 'doctest/doctest.h', '/dev/null'],
    { stdio: 'ignore' },
  ).status === 0;

/** @returns {string | undefined} what is missing to run the unit tests */
export function unitTestObstacle() {
  if (!isInstalled('cmake')) return 'CMake is not installed';
  if (!hasDoctest()) return `doctest is not installed (${doctestPackage})`;
  return undefined;
}

/**
 * Builds the unit tests and runs them.
 *
 * @param {object} [options]
 * @param {string} [options.sanitize] `address` or `thread`
 * @param {boolean} [options.shown] prints what they print
 * @returns {Promise<{ status: number | null, output: string }>}
 * @throws Error with the compiler's lines
 */
export async function runUnitTests({ sanitize = '', shown = false } = {}) {
  const build = await buildTargets({
    folder: sanitize ? `build-units-${sanitize}` : 'build-units',
    targets: ['nativeUnits'],
    options: { UNIT_TESTS: 'ON', SANITIZE: sanitize },
  });
  // The first report of undefined behaviour is a failure, too.
  const env = { UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1' };
  return capture(path.join(build, 'test/native/nativeUnits'), [], { env, shown });
}
