import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runtimeInfo } from 'cloudeasyml';
import { runToEnd, startServer } from '../../processes.mjs';
import { cacheFolder } from '../cacheFolder.mjs';

const crate = fileURLToPath(new URL('.', import.meta.url));
const buildSeconds = 1200;
const named = { name: 'axumOrt', title: 'axum + ort' };

/**
 * Builds the peer by cargo, once.
 *
 * @param {(line: string) => void} progress
 * @returns {Promise<{ peers: import('../index.mjs').Peer[],
 *   skipped: import('../index.mjs').SkippedPeer[] }>}
 */
export async function buildRustPeer(progress) {
  const target = path.join(cacheFolder(), 'rust');
  try {
    progress(`building ${named.title}, where it isn't yet`);
    await runToEnd('cargo', ['build', '--release', '--locked', '--target-dir', target], {
      cwd: crate,
      timeoutSeconds: buildSeconds,
    });
  } catch (error) {
    return { peers: [], skipped: [{ ...named, reason: /** @type {Error} */ (error).message }] };
  }
  const program = path.join(target, 'release', 'axum-ort');
  const peer = {
    ...named,
    start: (/** @type {import('../index.mjs').StartOptions} */ { modelFile, cpus }) =>
      startServer(program, [modelFile], { cpus, env: { ORT_DYLIB_PATH: runtimeInfo().library } }),
  };
  return { peers: [peer], skipped: [] };
}
