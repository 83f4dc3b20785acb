import { createHash } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../../processes.mjs';
import { cacheFolder } from '../cacheFolder.mjs';

const leastMinorVersion = 9;
const installSeconds = 1200;

/**
 * @returns {Promise<string>} what starts Python
 * @throws Error where there is none, or it is older than 3.9
 */
export async function findPython() {
  const python = process.env.PYTHON ?? 'python3';
  const code = 'import sys; print(sys.version_info.major, sys.version_info.minor)';
  let version;
  try {
    version = await runToEnd(python, ['-c', code]);
  } catch {
    throw new Error(`"${python}" can't be run: it needs Python 3.${leastMinorVersion} or newer.`);
  }
  const [major = 0, minor = 0] = version.trim().split(' ').map(Number);
  if (major === 3 && minor >= leastMinorVersion) return python;
  throw new Error(`"${python}" is ${major}.${minor}: it needs 3.${leastMinorVersion} or newer.`);
}

/**
 * Makes a virtual environment with the packages, once: the next call with the same packages finds it.
 *
 * @param {string} python what starts Python
 * @param {string} name
 * @param {readonly string[]} packages as pip takes them, with their versions
 * @returns {Promise<string>} its folder of programs
 * @throws Error where pip can't install them, with what it says
 */
export async function virtualEnvironment(python, name, packages) {
  const key = createHash('sha256').update(packages.join()).digest('hex').slice(0, 8);
  const folder = path.join(cacheFolder(), 'python', `${name}-${key}`);
  const programs = path.join(folder, 'bin');
  const complete = path.join(folder, 'complete');
  if (existsSync(complete)) return programs;
  // What a broken installation left behind is of no use.
  rmSync(folder, { recursive: true, force: true });
  await runToEnd(python, ['-m', 'venv', folder]);
  await runToEnd(
    path.join(programs, 'python'),
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages],
    { timeoutSeconds: installSeconds },
  );
  writeFileSync(complete, `${packages.join('\n')}\n`);
  return programs;
}
