// npm run fuzz: feeds the native code's fuzz targets, each for long.
//
//   node scripts/fuzz.mjs [targets…] [--runs n] [--seconds n]
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './cmake.mjs';
import { buildFuzzers, fuzzObstacle, fuzzTargets, runFuzzer } from './nativeTests/fuzzing.mjs';

const usage = `Usage: npm run fuzz -- [targets…] [--runs n] [--seconds n]

  targets      ${fuzzTargets.join(', ')}; all of them by default
  --runs       inputs for each target, 10,000,000 by default
  --seconds    for each target, instead of a number of inputs
`;

function fail(message) {
  console.error(message);
  process.exit(1);
}

function parseOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { runs: { type: 'string' }, seconds: { type: 'string' } },
    });
    const unknown = positionals.find((name) => !fuzzTargets.includes(name));
    const numbers = Object.values(values).every((value) => /^[1-9]\d*$/.test(value));
    if (unknown || !numbers) fail(usage);
    return { ...values, targets: positionals.length > 0 ? positionals : fuzzTargets };
  } catch {
    return fail(usage);
  }
}

const { targets, runs = '10000000', seconds } = parseOptions();
const obstacle = fuzzObstacle();
if (obstacle) fail(`Fuzzing can't begin: ${obstacle}.`);
const programs = await buildFuzzers().catch((error) => fail(error.message));
const folder = path.join(root, 'build-fuzz');
const failed = [];
for (const name of targets) {
  console.log(`\n${name}:`);
  const { status } = await runFuzzer(programs, name, {
    corpus: path.join(folder, 'corpus', name),
    findings: path.join(folder, 'findings'),
    limits: [seconds ? `-max_total_time=${seconds}` : `-runs=${runs}`],
    shown: true,
  });
  if (status !== 0) failed.push(name);
}
console.log(
  failed.length > 0
    ? `\nFound something: ${failed.join(', ')}. The inputs are in build-fuzz/findings.`
    : '\nNothing was found.',
);
process.exitCode = failed.length > 0 ? 1 : 0;
