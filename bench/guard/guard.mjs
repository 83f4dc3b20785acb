// npm run bench:guard: counts that don't depend on how fast or busy the machine is, against recorded ones.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isInstalled } from '../../scripts/cmake.mjs';
import { countCalls } from './callCounts.mjs';
import { compare } from './compare.mjs';
import { countInstructions, toolchain } from './instructions.mjs';
import { callTable, instructionTable } from './tables.mjs';

const recordedFile = fileURLToPath(new URL('recorded.json', import.meta.url));
const usage = `Usage: npm run bench:guard -- [--record] [--json file]

  --record       writes the counts to bench/guard/recorded.json
  --json <file>  also writes them to a file
`;

/** @param {string} line */
const say = (line) => process.stdout.write(`${line}\n`);

/** @param {string[]} args */
async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      record: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-guard-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

  const canCountCalls = process.platform === 'linux' && process.arch === 'x64';
  const calls = canCountCalls ? await countCalls(folder) : undefined;
  say(calls ? callTable(calls) : 'Calls were not counted: that takes Linux on x86-64.');
  if (!isInstalled('valgrind')) {
    say(
      '\nInstructions were not counted: valgrind is not installed (apt-get install -y valgrind).',
    );
    return 0;
  }
  const instructions = await countInstructions(folder);
  const counts = { toolchain: toolchain(), instructions, calls };
  if (values.json) writeFileSync(values.json, `${JSON.stringify(counts, null, 2)}\n`);
  if (values.record) {
    writeFileSync(recordedFile, `${JSON.stringify(counts, null, 2)}\n`);
    say(`\n${instructionTable(compare(instructions, instructions))}\n\nRecorded.`);
    return 0;
  }
  const recorded = JSON.parse(readFileSync(recordedFile, 'utf8'));
  const comparison = compare(instructions, recorded.instructions);
  say(`\n${instructionTable(comparison)}`);
  const differences = Object.entries(counts.toolchain).filter(
    ([key, value]) => recorded.toolchain[key] !== value,
  );
  if (differences.length > 0) {
    const text = differences.map(([key, is]) => `${key}: ${recorded.toolchain[key]}, now ${is}`);
    say(`\nThe counts were recorded with others, so nothing is judged. ${text.join('; ')}`);
    return 0;
  }
  const grown = comparison.filter(({ verdict }) => verdict === 'grown');
  if (grown.length === 0) return 0;
  say(
    '\nRequests take more instructions than recorded. Where that is meant, record anew and say why.',
  );
  return 1;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (/** @type {unknown} */ error) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  },
);
