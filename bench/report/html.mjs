// npm run bench:report -- results.json [--counts counts.json] [--out report.html]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { reportPage } from './page.mjs';
import { readResults } from './results.mjs';

const recordedCounts = fileURLToPath(new URL('../guard/recorded.json', import.meta.url));
const usage = `Usage: npm run bench:report -- <results.json> [--counts counts.json] [--out report.html]

  <results.json>  what npm run bench -- --json wrote
  --counts        what npm run bench:guard -- --json wrote (default: the recorded counts)
  --out           the page to write (default: report.html)
`;

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      counts: { type: 'string', default: recordedCounts },
      out: { type: 'string', default: 'report.html' },
    },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new Error(usage);
  const counts = JSON.parse(readFileSync(values.counts, 'utf8'));
  writeFileSync(values.out, reportPage(readResults(file), counts));
  process.stdout.write(`Wrote ${values.out}\n`);
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exit(1);
}
