import { createHash } from 'node:crypto';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { addon, type NativeSessionOptions, type OpenedSession } from './addon.js';
import { type Feeds, type RequestedOutputs, Runner } from './runner.js';
import { ensureRuntimeStarted } from './runtime.js';
import { prepareOptions, type SessionOptions } from './sessionOptions.js';
import type { Tensor } from './tensor.js';
import { inputsOf, outputsOf, type PlacedValue, type ValueInfo } from './valueInfo.js';

/**
 * A loaded model.
 *
 * One file with the same options is loaded once per process, however many threads create a session of
 * it; it is closed when the last of them has released it.
 */
export class InferenceSession {
  /** What the model takes, in its own order. */
  readonly inputs: readonly ValueInfo[];
  /** What it gives. Outputs that are no tensors are left out. */
  readonly outputs: readonly ValueInfo[];
  /** What runs its nodes, best first; the CPU is always the last. */
  readonly executionProviders: readonly string[];
  /** What the engine's other native parts know the session by. */
  readonly handle: object;
  readonly #inputs: readonly PlacedValue[];
  readonly #outputs: readonly PlacedValue[];
  #runner: Runner | undefined;
  #released = false;

  private constructor(opened: OpenedSession) {
    this.#inputs = inputsOf(opened);
    this.#outputs = outputsOf(opened);
    this.inputs = this.#inputs.map(({ name, type, dims }) => ({ name, type, dims }));
    this.outputs = this.#outputs.map(({ name, type, dims }) => ({ name, type, dims }));
    this.executionProviders = opened.executionProviders;
    this.handle = opened.handle;
  }

  /**
   * Loads a model off the calling thread.
   *
   * @param model path of an .onnx file, or its bytes
   * @throws CloudEasyMLError model_load_failed, provider_unavailable, library_unavailable, or
   * invalid_input for options
   */
  static async create(
    model: string | Uint8Array,
    options: SessionOptions = {},
  ): Promise<InferenceSession> {
    ensureRuntimeStarted();
    // Nobody can take the copy's memory away, or change it, while another thread reads it.
    const source = typeof model === 'string' ? path.resolve(model) : model.slice();
    return new InferenceSession(await addon.openSession(source, nativeOptions(source, options)));
  }

  /** Loads a model on the calling thread: for workers, which have nothing else to do meanwhile. */
  static createSync(model: string | Uint8Array, options: SessionOptions = {}): InferenceSession {
    ensureRuntimeStarted();
    const source = typeof model === 'string' ? path.resolve(model) : model;
    return new InferenceSession(addon.openSessionSync(source, nativeOptions(source, options)));
  }

  /**
   * Runs the model on the calling thread.
   *
   * @param feeds a tensor for every input, whose memory is read where it lies
   * @param outputs the outputs to compute (all, where it is left out), or tensors of the right shapes,
   * whose memory takes them
   * @returns the outputs by name; the `outputs` object itself where that brought tensors
   * @throws CloudEasyMLError invalid_input naming the input or output; runtime_failed; cancelled
   */
  run(feeds: Feeds, outputs?: RequestedOutputs): Record<string, Tensor> {
    this.#runner ??= this.#makeRunner();
    return this.#runner.run(feeds, outputs);
  }

  /** Lets go of the model. Runs that are under way end first; later ones throw. */
  release(): void {
    this.#released = true;
    this.#runner?.close();
    this.#runner = undefined;
    addon.releaseSession(this.handle);
  }

  #makeRunner(): Runner {
    if (this.#released) {
      throw new CloudEasyMLError('runtime_failed', 'The session has been released.');
    }
    return new Runner(addon.createRunner(this.handle), this.#inputs, this.#outputs);
  }
}

function nativeOptions(model: string | Uint8Array, options: SessionOptions): NativeSessionOptions {
  const providers = options.executionProviders === 'auto' ? [] : (options.executionProviders ?? []);
  return {
    ...prepareOptions(options, providers),
    contentHash: typeof model === 'string' ? '' : createHash('sha256').update(model).digest('hex'),
    optimizedModelPath: '',
  };
}
