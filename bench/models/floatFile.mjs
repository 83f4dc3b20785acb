import { readFileSync } from 'node:fs';

/**
 * @param {string} file float32 in this machine's byte order
 * @returns {Float32Array}
 */
export function readFloats(file) {
  return new Float32Array(new Uint8Array(readFileSync(file)).buffer);
}
