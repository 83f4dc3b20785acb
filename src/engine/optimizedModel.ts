import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
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
 * @param file the model's path, where it has one
 */
export function optimizedModelPath(
  folder: string,
  contentHash: string,
  bytes: Uint8Array,
  file: string | undefined,
  options: PreparedOptions,
): string {
  mkdirSync(folder, { recursive: true });
  const weights = file === undefined ? [] : externalFiles(bytes, path.dirname(file)).map(identity);
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

/** How an entry {key: "location", value: path} of a tensor's external data begins, in protobuf. */
const locationEntry = Buffer.from('\x0a\x08location\x12', 'latin1');

/**
 * The files beside a model that hold weights of it. Found by the bytes that name them, which costs no
 * parsing; what only looks like one does no harm, as it just adds to the key.
 */
function externalFiles(bytes: Uint8Array, folder: string): string[] {
  const model = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Set<string>();
  for (let at = model.indexOf(locationEntry); at >= 0; at = model.indexOf(locationEntry, at + 1)) {
    const start = at + locationEntry.length;
    // A length of up to 127 takes one byte; longer paths take two.
    const low = model[start] ?? 0;
    const long = low > 127;
    const length = long ? (low & 127) | ((model[start + 1] ?? 0) << 7) : low;
    const name = start + (long ? 2 : 1);
    files.add(path.join(folder, model.toString('utf8', name, name + length)));
  }
  return [...files].sort();
}

/** Tells one state of a file from another. */
function identity(file: string): string {
  if (!existsSync(file)) return `${file}:none`;
  const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return `${file}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
