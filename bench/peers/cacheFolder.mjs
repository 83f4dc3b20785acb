import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Where the system wants a program to keep what it can make again.
 *
 * @returns {string} a folder of the bench's own, not made yet
 */
export function cacheFolder() {
  const { XDG_CACHE_HOME } = process.env;
  const system =
    process.platform === 'darwin'
      ? path.join(homedir(), 'Library', 'Caches')
      : XDG_CACHE_HOME || path.join(homedir(), '.cache');
  return path.join(system, 'cloudeasyml-bench');
}
