import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { addon } from './addon.js';
import type { PreparedOptions } from './sessionOptions.js';

/**
 * Where a folder keeps the optimised form of a model.
 *
 * The name is made of everything that the form depends on: the model's content and the files that it
 * keeps weights in, ONNX Runtime's version, the session's options, and the processor that the graph was
 * optimised for. So a form that does not fit any more is never found again.
 *
 * @param contentHash SHA-256 of the model
 * @param weights the state of the files that hold weights of it
 */
export function optimizedModelPath(
  folder: string,
  contentHash: string,
  weights: string,
  options: PreparedOptions,
): string {
  mkdirSync(folder, { recursive: true });
  const parts = [
    contentHash,
    weights,
    addon.runtimeInfo().version,
    options.key,
    process.platform,
    process.arch,
    cpus()[0]?.model ?? '',
  ];
  const name = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return path.join(path.resolve(folder), `${name}.onnx`);
}
