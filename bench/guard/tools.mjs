// Builds what the guard counts with: bench/guard/CMakeLists.txt.
import path from 'node:path';
import { buildTargets } from '../../scripts/cmake.mjs';

/** @typedef {'requestScript' | 'callCounter'} Tool */

/** @type {Record<Tool, string>} */
const files = { requestScript: 'requestScript', callCounter: 'callCounter.so' };

/**
 * @param {Tool} tool
 * @returns {Promise<string>} its path
 * @throws Error with the compiler's lines
 */
export async function buildTool(tool) {
  const build = await buildTargets({
    // The addon's own: its objects are what is counted.
    folder: 'build',
    targets: [tool],
    options: { GUARD: 'ON' },
  });
  return path.join(build, 'bench/guard', files[tool]);
}
