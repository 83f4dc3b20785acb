import { readFile } from 'node:fs/promises';
import { CloudEasyMLError } from '../errors.js';

/**
 * Reads a text file that a user named.
 *
 * @throws CloudEasyMLError `invalid_input` where it cannot be read
 */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${String(code)})`;
    throw new CloudEasyMLError('invalid_input', `The file ${file} ${why}.`, { cause: error });
  }
}
