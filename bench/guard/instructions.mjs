import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runtimeInfo } from 'cloudeasyml';
import { mlp, sampleRows, softmax, writeModel } from '../models/index.mjs';
import { runToEnd } from '../processes.mjs';
import { readCallgrind } from './callgrindFile.mjs';
import { buildTool } from './tools.mjs';

/**
 * @typedef {object} InstructionCount of one script, per request
 * @property {string} script
 * @property {number} engine this package's code and what it calls, without ONNX Runtime
 * @property {number} onnxRuntime
 */

const scripts = [softmax, mlp].flatMap((model) =>
  [1, 32].map((perBatch) => ({
    name: `${model.name}, batches of ${perBatch}`,
    model,
    perBatch,
    requests: 64,
  })),
);

/** What else decides the counts; a recorded figure holds for its like only. */
export function toolchain() {
  const compiler = spawnSync(process.env.CXX ?? 'c++', ['--version'], { encoding: 'utf8' });
  return {
    architecture: process.arch,
    compiler: compiler.stdout?.split('\n')[0] ?? 'unknown',
    onnxRuntime: runtimeInfo().version,
  };
}

/**
 * Counts the instructions of fixed requests through the engine, under callgrind.
 *
 * @param {string} folder for models and what callgrind writes
 * @returns {Promise<InstructionCount[]>}
 */
export async function countInstructions(folder) {
  const program = await buildTool('requestScript');
  const output = path.join(folder, 'callgrind.out');
  const args = scripts.flatMap(({ model, perBatch, requests }) => {
    const { model: modelFile } = writeModel(model, folder);
    const body = path.join(folder, `${model.name}.json`);
    writeFileSync(body, JSON.stringify({ deploymentId: 'guard', data: sampleRows(model, 1, 11) }));
    return [modelFile, body, String(requests), String(perBatch)];
  });
  await runToEnd('valgrind', [
    '--tool=callgrind',
    `--callgrind-out-file=${output}`,
    '--toggle-collect=guardedRequests',
    // One file for each script, its number behind the name.
    '--dump-after=guardedRequests',
    program,
    runtimeInfo().library,
    ...args,
  ]);
  return scripts.map(({ name, requests }, index) => {
    const text = readFileSync(`${output}.${index + 1}`, 'utf8');
    const { all, within } = readCallgrind(text, 'libonnxruntime');
    return {
      script: name,
      engine: Math.round((all - within) / requests),
      onnxRuntime: Math.round(within / requests),
    };
  });
}
