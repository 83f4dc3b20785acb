import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { addon, type NativeSessionOptions, type OpenedSession } from './addon.js';
import { hashOfBytes, hashOfFile, hashOfFileSync } from './modelContent.js';
import { optimizedModelPath } from './optimizedModel.js';
import { explained } from './providerErrors.js';
import { providerCandidates } from './providers.js';
import { ensureRuntimeStarted } from './runtime.js';
import { type PreparedOptions, prepareOptions, type SessionOptions } from './sessionOptions.js';

/** Opens a model on the calling thread; `InferenceSession.createSync` documents it. */
export function openSessionSync(
  model: string | Uint8Array,
  options: SessionOptions,
): OpenedSession {
  const request = new OpenRequest(sourceFrom(model), options);
  const { fileToHash } = request;
  let failure: unknown;
  for (const native of request.attempts(fileToHash && hashOfFileSync(fileToHash))) {
    try {
      return addon.openSessionSync(request.source, native);
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
  const request = new OpenRequest(source, options);
  const { fileToHash } = request;
  let failure: unknown;
  for (const native of request.attempts(fileToHash && (await hashOfFile(fileToHash)))) {
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

/** A model, its checked options, and what the name of its optimised form is made of. */
class OpenRequest {
  readonly source: string | Uint8Array;
  /** The file whose content the name of an optimised form needs, if any. */
  readonly fileToHash: string | undefined;
  readonly #prepared: readonly PreparedOptions[];
  readonly #folder: string | undefined;
  readonly #contentHash: string;
  readonly #state: { state: string; weights: string } | undefined;

  constructor(source: string | Uint8Array, options: SessionOptions) {
    ensureRuntimeStarted();
    this.source = source;
    this.#folder = options.optimizedModelCache;
    this.#prepared = providerCandidates(options.executionProviders).map((providers) =>
      prepareOptions(options, providers),
    );
    const configEntries = this.#prepared[0]!.configEntries;
    if (typeof source !== 'string') refuseBorrowedBytes(configEntries);
    this.#contentHash = typeof source === 'string' ? '' : hashOfBytes(source);
    if (this.#folder === undefined) return;
    this.fileToHash = typeof source === 'string' ? source : undefined;
    // Before the content is read: a model that is replaced meanwhile is noticed when it is opened.
    this.#state = addon.modelState(source, this.#contentHash, configEntries);
  }

  /**
   * The options to try, one after the other, until a session opens.
   *
   * @param fileHash of `fileToHash`
   */
  attempts(fileHash: string | undefined): NativeSessionOptions[] {
    const contentHash = this.#contentHash;
    const folder = this.#folder;
    return this.#prepared.map((prepared) => {
      if (folder === undefined || !this.#state) {
        return { ...prepared, contentHash, optimizedModelPath: '', optimizedState: '' };
      }
      const { state, weights } = this.#state;
      const place = optimizedModelPath(folder, fileHash ?? contentHash, weights, prepared);
      return { ...prepared, contentHash, optimizedModelPath: place, optimizedState: state };
    });
  }
}

const borrowsBytes = 'session.use_ort_model_bytes_directly';

/** ONNX Runtime would go on reading the caller's memory, which may be gone or hold something else by then. */
function refuseBorrowedBytes(configEntries: readonly [string, string][]): void {
  if (!configEntries.some(([key, value]) => key === borrowsBytes && value !== '0')) return;
  throw new CloudEasyMLError(
    'invalid_input',
    `The entry ${borrowsBytes} cannot be used with a model's bytes, which the engine does not keep. Open the model by its path.`,
    { path: `configEntries.${borrowsBytes}` },
  );
}
