import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { CloudEasyMLError } from '../errors.js';

/** As much of a file as is in memory at once while it is read. */
const pieceBytes = 1 << 20;

/** SHA-256 of a model in memory. */
export function hashOfBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * SHA-256 of a model's file, read piece by piece: it may be larger than a buffer can be.
 *
 * @throws CloudEasyMLError model_load_failed
 */
export async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    const pieces = createReadStream(file, { highWaterMark: pieceBytes });
    for await (const piece of pieces) hash.update(piece);
  } catch (error) {
    throw unreadable(file, error);
  }
  return hash.digest('hex');
}

/** The same, on the calling thread. */
export function hashOfFileSync(file: string): string {
  const hash = createHash('sha256');
  const piece = new Uint8Array(pieceBytes);
  try {
    const descriptor = openSync(file, 'r');
    try {
      for (
        let count = readSync(descriptor, piece);
        count > 0;
        count = readSync(descriptor, piece)
      ) {
        hash.update(piece.subarray(0, count));
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  return hash.digest('hex');
}

function unreadable(file: string, cause: unknown): CloudEasyMLError {
  return new CloudEasyMLError(
    'model_load_failed',
    `The model "${file}" is not a file that can be read: ${(cause as Error).message}.`,
    { cause },
  );
}
