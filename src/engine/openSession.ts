import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { addon, type NativeSessionOptions, type OpenedSession } from './addon.js';
import { optimizedModelPath } from './optimizedModel.js';
import { explained } from './providerErrors.js';
import { providerCandidates } from './providers.js';
import { ensureRuntimeStarted } from './runtime.js';
import { prepareOptions, type SessionOptions } from './sessionOptions.js';

/** Opens a model on the calling thread; `InferenceSession.createSync` documents it. */
export function openSessionSync(
  model: string | Uint8Array,
  options: SessionOptions,
): OpenedSession {
  const source = sourceFrom(model);
  let bytes = typeof source === 'string' ? undefined : source;
  if (typeof source === 'string' && options.optimizedModelCache !== undefined) {
    try {
      bytes = readFileSync(source);
    } catch (error) {
      throw unreadable(source, error);
    }
  }
  let failure: unknown;
  for (const native of attempts(source, bytes, options)) {
    try {
      return addon.openSessionSync(source, native);
    } catch (error) {
      failure = explained(error, native.executionProviders);
    }
  }
  throw failure;
}

/** Opens a model on another thread; `InferenceSession.create` documents it. */
export async function openSession(
  model: string | Uint8Array,
  options: SessionOptions,
): Promise<OpenedSession> {
  // Nobody can take a copy's memory away, or change it, while another thread reads it.
  const given = sourceFrom(model);
  const source = typeof given === 'string' ? given : new Uint8Array(given);
  let bytes = typeof source === 'string' ? undefined : source;
  if (typeof source === 'string' && options.optimizedModelCache !== undefined) {
    bytes = await readFile(source).catch((error) => {
      throw unreadable(source, error);
    });
  }
  let failure: unknown;
  for (const native of attempts(source, bytes, options)) {
    try {
      return await new Promise((resolve, reject) => {
        addon.openSession(source, native, (error, opened) => {
          if (error) reject(error);
          else resolve(opened);
        });
      });
    } catch (error) {
      failure = explained(error, native.executionProviders);
    }
  }
  throw failure;
}

function sourceFrom(model: unknown): string | Uint8Array {
  if (typeof model === 'string') return path.resolve(model);
  if (model instanceof Uint8Array) return model;
  throw new CloudEasyMLError(
    'invalid_input',
    `Expected a model's path or its bytes in a Uint8Array but received ${typeof model}.`,
    { path: 'model' },
  );
}

/** The options to try, one after the other, until a session opens. */
function attempts(
  source: string | Uint8Array,
  bytes: Uint8Array | undefined,
  options: SessionOptions,
): NativeSessionOptions[] {
  ensureRuntimeStarted();
  const contentHash = bytes ? createHash('sha256').update(bytes).digest('hex') : '';
  const file = typeof source === 'string' ? source : undefined;
  const folder = options.optimizedModelCache;
  return providerCandidates(options.executionProviders).map((providers) => {
    const prepared = prepareOptions(options, providers);
    const optimized =
      bytes && folder !== undefined
        ? optimizedModelPath(folder, contentHash, bytes, file, prepared)
        : '';
    return { ...prepared, contentHash, optimizedModelPath: optimized };
  });
}

function unreadable(file: string, cause: unknown): CloudEasyMLError {
  return new CloudEasyMLError(
    'model_load_failed',
    `The model "${file}" is not a file that can be read: ${(cause as Error).message}.`,
    { cause },
  );
}
