// Builds the addon with cmake-js, and says in one line what is missing when it can't.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

/** Where npm put a package, whether it was hoisted above this one or not. */
function modulesFolder() {
  const found = require.resolve('@nozbe/simdjson/package.json');
  return path.resolve(path.dirname(found), '..', '..');
}

function fail(message) {
  console.error(`cloudeasyml: ${message}`);
  process.exit(1);
}

function found(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

const hint = {
  linux: 'on Debian or Ubuntu: apt-get install -y cmake g++ make',
  darwin: 'on macOS: xcode-select --install && brew install cmake',
}[process.platform];

const missing = [];
if (!found('cmake')) missing.push('CMake 3.15 or later');
const compiler = process.env.CXX ?? (['c++', 'g++', 'clang++'].find(found) || '');
if (!compiler || !found(compiler)) missing.push('a C++17 compiler');
if (!found('make') && !found('ninja')) missing.push('make or ninja');
if (missing.length > 0) {
  fail(`building the native engine needs ${missing.join(' and ')}${hint ? ` (${hint})` : ''}.`);
}

const sanitize = process.argv[2] ?? '';
const out = sanitize ? `build-${sanitize}` : 'build';
const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
const built = spawnSync(
  process.execPath,
  [
    cmakeJs,
    'compile',
    '--directory',
    root,
    '--out',
    path.join(root, out),
    `--CDMODULES=${modulesFolder()}`,
    `--CDSANITIZE=${sanitize}`,
    '--parallel',
    '4',
  ],
  { cwd: root, encoding: 'utf8' },
);
if (built.status !== 0) {
  process.stderr.write(`${built.stdout ?? ''}${built.stderr ?? ''}`);
  fail('the native engine did not compile; the lines above are the compiler’s.');
}
