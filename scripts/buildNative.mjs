// Builds the addon with cmake-js, and says in one line what is missing when it can't.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { isInstalled, modulesFolder, root } from './cmake.mjs';

const require = createRequire(import.meta.url);

function fail(message) {
  console.error(`cloudeasyml: ${message}`);
  process.exit(1);
}

function listed(things) {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(things);
}

const hint = {
  linux: 'on Debian or Ubuntu: apt-get install -y cmake g++ make',
  darwin: 'on macOS: xcode-select --install && brew install cmake',
}[process.platform];

const missing = [];
if (!isInstalled('cmake')) missing.push('CMake 3.15 or later');
// What CXX holds is for CMake to judge: it may be more than a program's name.
if (!process.env.CXX && !['c++', 'g++', 'clang++'].some(isInstalled)) {
  missing.push('a C++17 compiler');
}
if (!isInstalled('make') && !isInstalled('ninja')) missing.push('make or ninja');
if (missing.length > 0) {
  fail(`building the native engine needs ${listed(missing)}${hint ? ` (${hint})` : ''}.`);
}

const sanitize = process.argv[2] ?? '';
const out = path.join(root, sanitize ? `build-${sanitize}` : 'build');
// A build that has nothing to do is over before this is said.
const patience = setTimeout(
  () => console.error('cloudeasyml: compiling the native engine, which can take a minute or two.'),
  3000,
);
const build = spawn(
  process.execPath,
  [
    require.resolve('cmake-js/bin/cmake-js'),
    'compile',
    '--directory',
    root,
    '--out',
    out,
    `--CDMODULES=${modulesFolder()}`,
    `--CDSANITIZE=${sanitize}`,
    '--parallel',
    String(availableParallelism()),
  ],
  { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
);
let output = '';
for (const stream of [build.stdout, build.stderr]) {
  stream.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
}
build.on('close', (code) => {
  clearTimeout(patience);
  if (code === 0) return;
  process.stderr.write(output);
  fail('the native engine did not compile; the lines above say why.');
});
