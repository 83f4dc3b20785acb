// npm run test:arm64: the native unit tests on arm64, under qemu.
//
//   node scripts/testArm64.mjs
//   node scripts/testArm64.mjs --engine [tests…]           the addon's tests, on Node.js for arm64
//   node scripts/testArm64.mjs --unsigned-char [tests…]    on this machine, with arm64's unsigned char
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './cmake.mjs';
import {
  arm64Node,
  arm64Obstacle,
  buildArm64Addon,
  buildUnsignedAddon,
  runArm64UnitTests,
} from './nativeTests/arm64.mjs';

const engineTests = ['tensor', 'tensorTypes', 'inputChecks', 'callerOwnedOutputs', 'ioBinding'].map(
  (name) => `test/engine/${name}.test.ts`,
);
const unsignedTests = ['test/engine/tensorTypes.test.ts', 'test/serving/jsonNumbers.test.ts'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { engine: { type: 'boolean' }, 'unsigned-char': { type: 'boolean' } },
});

/** @returns {number} vitest's exit code */
function runTests(addon, tests, { node, nodeArgs = [], options = [] } = {}) {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [...nodeArgs, vitest, 'run', ...options, ...tests],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, CLOUDEASYML_ADDON: addon, CLOUDEASYML_TEST_NODE: node },
    },
  );
  return status ?? 1;
}

async function testEngine() {
  const node = await arm64Node();
  if (!node) {
    console.log(`The engine's tests on arm64 were skipped: npm has no Node.js ${process.version}.`);
    return 0;
  }
  return runTests(await buildArm64Addon(), positionals.length > 0 ? positionals : engineTests, {
    node,
    nodeArgs: ['--import', fileURLToPath(new URL('nativeTests/otherNode.mjs', import.meta.url))],
    // The emulator takes many times as long.
    options: ['--testTimeout=600000', '--hookTimeout=600000'],
  });
}

async function test() {
  if (values['unsigned-char']) {
    return runTests(
      await buildUnsignedAddon(),
      positionals.length > 0 ? positionals : unsignedTests,
    );
  }
  const obstacle = arm64Obstacle();
  if (obstacle) {
    console.log(`The tests on arm64 were skipped: ${obstacle}.`);
    return 0;
  }
  return values.engine ? testEngine() : ((await runArm64UnitTests({ shown: true })).status ?? 1);
}

try {
  process.exitCode = await test();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
