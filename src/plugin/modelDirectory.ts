import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';

/** A model's name is safe in a path and in a URL. */
export const modelNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Where the server keeps what it must not lose: `CLOUDEASYML_DATA`, or `data` below the working folder. */
export function dataDirectory(): string {
  return path.resolve(process.env.CLOUDEASYML_DATA || 'data');
}

/**
 * The folder in which a model of this name is saved by `train()` and found by `load()`. Made on first
 * use.
 *
 * @throws CloudEasyMLError `invalid_input` for what is not a model's name
 */
export function modelDirectory(name: string): string {
  if (!modelNamePattern.test(name)) {
    throw new CloudEasyMLError(
      'invalid_input',
      `modelDirectory: expected a model's name but received ${JSON.stringify(name)}.`,
    );
  }
  const directory = path.join(dataDirectory(), 'models', name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
