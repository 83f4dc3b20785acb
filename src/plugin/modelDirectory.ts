import { mkdirSync } from 'node:fs';
import path from 'node:path';

/** Where the server keeps what it must not lose: `CLOUDEASYML_DATA`, or `data` below the working folder. */
export function dataDirectory(): string {
  return path.resolve(process.env.CLOUDEASYML_DATA || 'data');
}

/**
 * The folder in which a model of this name is saved by `train()` and found by `load()`. Made on first
 * use.
 */
export function modelDirectory(name: string): string {
  const directory = path.join(dataDirectory(), 'models', name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
