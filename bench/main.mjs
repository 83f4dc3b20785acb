// npm run bench: this package beside what one would otherwise use, on this machine, in one run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { benchEngine } from './engine/engineBench.mjs';
import { describeMachine, warningsFor } from './machine.mjs';
import { readOptions, UsageError, usage } from './options.mjs';
import { engineTable, servingTables, targetTable } from './report.mjs';
import { benchServing } from './serving/servingBench.mjs';
import { engineTargets, servingTargets } from './targets.mjs';

/** @param {string} line */
const progress = (line) => process.stderr.write(`· ${line}\n`);

/** @param {string[]} args */
async function main(args) {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(usage);
    return;
  }
  const { parts, plan } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

  const date = new Date().toISOString();
  const machine = describeMachine();
  const engine = parts.includes('engine')
    ? await benchEngine(plan.engine, folder, progress)
    : undefined;
  const serving = parts.includes('serving')
    ? await benchServing(plan.serving, folder, progress)
    : undefined;
  const targets = [...engineTargets(engine ?? []), ...servingTargets(serving?.results ?? [])];
  const warnings = warningsFor(machine);

  const { cpu, cores, system, node, onnxRuntime } = machine;
  const sections = [
    `${date} · ${cpu}, ${cores} cores · ${system} · Node ${node} · ONNX Runtime ${onnxRuntime}`,
    ...(engine ? [engineTable(engine)] : []),
    ...(serving ? [servingTables(serving)] : []),
    targetTable(targets),
    ...(warnings.length > 0 ? [warnings.join('\n')] : []),
  ];
  process.stdout.write(`\n${sections.join('\n\n')}\n`);
  if (options.json) {
    const figures = { date, machine, plan, engine, serving, targets, warnings };
    writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  }
}

main(process.argv.slice(2)).catch((/** @type {unknown} */ error) => {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(
    error instanceof UsageError ? `${error.message}\n\n${usage}` : `${error.stack}\n`,
  );
  process.exit(1);
});
