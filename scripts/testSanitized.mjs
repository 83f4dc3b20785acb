// Builds the addon with a sanitizer and runs the native parts' tests on it.
//
//   node scripts/testSanitized.mjs address|thread [test files or folders…]
//
// Node.js and ONNX Runtime are not built with the sanitizer, so it sees what the addon's own code does with
// memory and with threads. `address` looks for undefined behaviour, too, which is reported as an illegal
// instruction at its line, and in a last step for leaks. Both check the C++ library's preconditions, which
// are reported as an abort. Without test files the native unit tests come first.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './cmake.mjs';
import { unitTestObstacle } from './nativeTests/unitTests.mjs';

const [kind, ...files] = process.argv.slice(2);
const libraries = { address: ['libasan.so', 'libstdc++.so'], thread: ['libtsan.so'] };
if (!(kind in libraries)) {
  console.error('Usage: node scripts/testSanitized.mjs address|thread [tests…]');
  process.exit(2);
}

/** How often the leak check repeats what it does, so that what leaks each time stands out. */
const leakRounds = 40;

function compilerFile(name) {
  const found = spawnSync(process.env.CXX ?? 'c++', [`-print-file-name=${name}`], {
    encoding: 'utf8',
  }).stdout.trim();
  if (path.isAbsolute(found)) return found;
  console.error(`${name} is missing: install the sanitizers of your compiler.`);
  process.exit(1);
}

const reports = mkdtempSync(path.join(tmpdir(), 'sanitizer-'));
const log = path.join(reports, 'report');
// Whose code it is must be told where its lines are known, too.
const asan = 'stack_trace_format="    #%n %p %F %S %M"';
const sanitized = {
  ...process.env,
  LD_PRELOAD: libraries[kind].map(compilerFile).join(' '),
  CLOUDEASYML_ADDON: path.join(root, `build-${kind}`, 'Release', 'cloudeasyml.node'),
  ASAN_OPTIONS: `${asan}:detect_leaks=0:handle_abort=1:handle_sigill=1:log_path=${log}`,
  // Reports of others' code must not change what a test's process exits with.
  TSAN_OPTIONS: `exitcode=0:handle_abort=1:log_path=${log}`,
};

function run(args, env = process.env) {
  return spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status;
}

/** Whether the code at the top of a stack, below the sanitizer's and the C++ library's, is the addon's. */
function isAddons(stack) {
  const top = stack
    .split('\n')
    .find((line) => /^ +#/.test(line) && !/lib(tsan|stdc\+\+)/.test(line));
  return top === undefined || top.includes('cloudeasyml.node');
}

/**
 * Whether a report is about the addon. Others may abort a process, too. Of ThreadSanitizer's, all the
 * accesses in question must be in the addon's code: it does not see how Node.js and ONNX Runtime
 * synchronise, and reports much of theirs.
 */
function concernsAddon(report) {
  if (/: ABRT /.test(report)) return report.includes('cloudeasyml.node');
  if (kind === 'address') return true;
  return report
    .split('\n\n')
    .filter((section) => /^\s*(WARNING|Previous)/.test(section))
    .every(isAddons);
}

/** Prints what the sanitizer wrote of the addon, and says whether that was anything. */
function reported() {
  const found = readdirSync(reports)
    .flatMap((file) => readFileSync(path.join(reports, file), 'utf8').split(/^={10,}$/m))
    .filter((report) => /(WARNING|ERROR): /.test(report) && concernsAddon(report));
  for (const report of found) console.error(report);
  console.log(`Reports of the addon: ${found.length}.`);
  return found.length > 0;
}

/**
 * The leaks among LeakSanitizer's that are the addon's: allocated by it, or so many of a kind that they
 * come of what was done again and again. A few objects that ONNX Runtime keeps for good are not.
 */
function ownLeaks(report) {
  return report
    .split('\n\n')
    .filter((block) => /^(Direct|Indirect) leak/m.test(block))
    .filter((block) => {
      const count = Number(/in (\d+) object/.exec(block)[1]);
      const allocator = block.split('\n').find((line) => /^\s+#1 /.test(line)) ?? '';
      return allocator.includes('cloudeasyml.node') || count >= leakRounds / 2;
    });
}

function findLeaks() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      'jiti/register',
      path.join(root, 'test', 'engine', 'fixtures', 'leakRounds.ts'),
      String(leakRounds),
    ],
    {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...sanitized,
        // ONNX Runtime has no frame pointers to walk.
        ASAN_OPTIONS: `${asan}:detect_leaks=1:fast_unwind_on_malloc=0:malloc_context_size=16:exitcode=0`,
      },
    },
  );
  process.stdout.write(stdout);
  const leaks = ownLeaks(stderr);
  for (const leak of leaks) console.error(`${leak}\n`);
  if (status !== 0) console.error(stderr);
  console.log(`Leaks of the addon: ${leaks.length}.`);
  return status === 0 && leaks.length === 0;
}

const script = (name) => path.join(root, 'scripts', name);
const withUnits = files.length === 0 && !unitTestObstacle();
let failed = withUnits && run([script('testNative.mjs'), kind]) !== 0;
failed = run([script('buildNative.mjs'), kind]) !== 0 || failed;
if (!failed) {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const tests = files.length > 0 ? files : ['test/engine', 'test/serving', 'test/streaming'];
  const options = ['--testTimeout=120000', '--no-file-parallelism', '--passWithNoTests'];
  failed = run([vitest, 'run', ...options, ...tests], sanitized) !== 0;
  failed = reported() || failed;
  if (kind === 'address') failed = !findLeaks() || failed;
}
rmSync(reports, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
