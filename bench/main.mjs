// npm run bench: this package beside what one would otherwise use, on this machine, in one run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { benchEngine } from './engine/index.mjs';
import { describeMachine, warningsFor } from './machine.mjs';
import { readOptions, UsageError, usage } from './options.mjs';
import { choosePinning, closedLoopCpus, openLoopCpus } from './pinning.mjs';
import { engineTables, overloadTable, servingTables, targetTable } from './report.mjs';
import { benchOverload } from './serving/overload.mjs';
import { benchServing } from './serving/servingBench.mjs';
import { engineTargets, overloadTargets, servingTargets } from './targets.mjs';

/** Of what --json writes; results.schema.json describes it. */
const schemaVersion = 2;

/** @param {string} line */
const progress = (line) => process.stderr.write(`· ${line}\n`);

/** @param {string[]} args */
async function main(args) {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(usage);
    return;
  }
  const { mode, parts, plan, peers } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

  const date = new Date().toISOString();
  const pinning = choosePinning(closedLoopCpus);
  const openPinning = choosePinning(openLoopCpus);
  const machine = { ...describeMachine(), pinning, openPinning };
  const engine = parts.includes('engine')
    ? await benchEngine(plan.engine, folder, progress)
    : undefined;
  const serving = parts.includes('serving')
    ? await benchServing({ plan, peerGroups: peers, pinning, openPinning, folder, progress })
    : undefined;
  const overload = parts.includes('overload')
    ? await benchOverload(plan.overload, {
        pinning: openPinning,
        folder: path.join(folder, 'overload'),
        progress,
      })
    : undefined;
  const targets = [
    ...engineTargets(engine?.calls ?? []),
    ...servingTargets(serving ?? { closed: [], open: [] }),
    ...(overload ? overloadTargets(overload) : []),
  ];
  const warnings = warningsFor(machine);

  const { cpu, cores, system, node, onnxRuntime } = machine;
  const sections = [
    `${date} · ${cpu}, ${cores} cores · ${system} · Node ${node} · ONNX Runtime ${onnxRuntime}`,
    ...(engine ? engineTables(engine) : []),
    ...(serving ? servingTables(serving) : []),
    ...(overload ? [overloadTable(overload)] : []),
    targetTable(targets),
    ...(warnings.length > 0 ? [warnings.join('\n')] : []),
  ];
  process.stdout.write(`\n${sections.join('\n\n')}\n`);
  if (options.json) {
    const figures = {
      schemaVersion,
      date,
      mode,
      machine,
      plan,
      engine,
      serving,
      overload,
      targets,
      warnings,
    };
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
