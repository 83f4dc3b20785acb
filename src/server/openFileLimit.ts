import { readFileSync } from 'node:fs';

/** Where the system does not tell: what macOS allows by default. */
const commonLimit = 10_240;

/** How many files, sockets included, the process may have open. */
export function openFileLimit(): number {
  try {
    const [, soft] =
      /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    if (soft === 'unlimited') return Number.MAX_SAFE_INTEGER;
    return Number(soft ?? commonLimit);
  } catch {
    return commonLimit;
  }
}
