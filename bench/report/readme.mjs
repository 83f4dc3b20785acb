// npm run bench:readme -- results.json: the README's table and chart from a run's results.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readmeChart, readmeSection, withSection } from './readmeSection.mjs';
import { readResults } from './results.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const chart = 'docs/benchmark.svg';
const usage = `Usage: npm run bench:readme -- <results.json> [--folder folder]

  <results.json>  what npm run bench -- --json wrote
  --folder        where README.md and ${chart} are (default: this package's folder)
`;

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { folder: { type: 'string', default: root } },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new Error(usage);
  const results = readResults(file);
  const readme = path.join(values.folder, 'README.md');
  const written = withSection(readFileSync(readme, 'utf8'), readmeSection(results, chart));
  writeFileSync(path.join(values.folder, chart), readmeChart(results));
  writeFileSync(readme, written);
  process.stdout.write(`Wrote ${readme} and ${chart}\n`);
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exit(1);
}
