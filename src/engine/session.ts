import { CloudEasyMLError } from '../errors.js';
import { addon, type OpenedSession } from './addon.js';
import { type AsyncRunOptions, runAsync } from './asyncRun.js';
import { dataClasses, type TensorType } from './elementTypes.js';
import { openSession, openSessionSync } from './openSession.js';
import { type Feeds, type RequestedOutputs, Runner } from './runner.js';
import { expectRuns, runScope } from './runScope.js';
import type { SessionOptions } from './sessionOptions.js';
import { elementCount, Tensor } from './tensor.js';
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
  /** @internal */
  readonly placedInputs: readonly PlacedValue[];
  /** @internal */
  readonly placedOutputs: readonly PlacedValue[];
  #runner: Runner | undefined;
  #released = false;

  private constructor(opened: OpenedSession) {
    this.placedInputs = inputsOf(opened);
    this.placedOutputs = outputsOf(opened);
    this.inputs = this.placedInputs.map(({ name, type, dims }) => ({ name, type, dims }));
    this.outputs = this.placedOutputs.map(({ name, type, dims }) => ({ name, type, dims }));
    this.executionProviders = opened.executionProviders;
    this.handle = opened.handle;
    expectRuns();
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
    return new InferenceSession(await openSession(model, options));
  }

  /** Loads a model on the calling thread: for workers, which have nothing else to do meanwhile. */
  static createSync(model: string | Uint8Array, options: SessionOptions = {}): InferenceSession {
    return new InferenceSession(openSessionSync(model, options));
  }

  /**
   * Runs the model on the calling thread. In a plugin's `stream()`, `predict()` and `predictBatch()`, and what
   * they await, the run is stopped, with an error of the code cancelled, when the requests that it is for
   * have ended.
   *
   * @param feeds a tensor for every input, whose memory is read where it lies
   * @param outputs the outputs to compute (all, where it is left out), or tensors of the right shapes,
   * whose memory takes them
   * @returns the outputs by name; the `outputs` object itself where that brought tensors
   * @throws CloudEasyMLError invalid_input naming the input or output; runtime_failed; cancelled
   */
  run(feeds: Feeds, outputs?: RequestedOutputs): Record<string, Tensor> {
    this.#runner ??= this.#makeRunner();
    const scope = runScope();
    scope?.enter();
    try {
      return this.#runner.run(feeds, outputs);
    } finally {
      scope?.leave();
    }
  }

  /**
   * Runs the model on another thread. The feeds' memory may be reused at once: what is not in a
   * SharedArrayBuffer is copied.
   *
   * @throws what run() throws; cancelled where `options.signal` is aborted, or in a plugin what its run is
   * for has ended
   */
  runAsync(feeds: Feeds, options: AsyncRunOptions = {}): Promise<Record<string, Tensor>> {
    const signal = bothSignals(options.signal, runScope()?.signal);
    const scoped = { ...options, signal };
    return runAsync(this.handle, this.placedInputs, this.placedOutputs, feeds, scoped);
  }

  /**
   * A tensor for this session's inputs or outputs, of zeros, in the memory that its first execution
   * provider copies to and from fastest; ordinary memory where that is the CPU.
   */
  createTensor<T extends Exclude<TensorType, 'string'>>(
    type: T,
    dims: readonly number[],
  ): Tensor<T>;
  createTensor(type: Exclude<TensorType, 'string'>, dims: readonly number[]): Tensor {
    const size = elementCount(dims);
    const pinned = size > 0 ? addon.allocatePinned(this.handle, type, dims) : null;
    if (pinned) new Uint8Array(pinned).fill(0);
    return new Tensor(
      type,
      pinned ? new dataClasses[type](pinned) : new dataClasses[type](size),
      dims,
    );
  }

  /** Releases the model. Runs that are under way end first; later ones throw. */
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
    // What has a device copies its outputs fastest to memory of its own choice.
    const lendsMemory = this.executionProviders.length === 1;
    const native = addon.createRunner(this.handle);
    return new Runner(native, this.placedInputs, this.placedOutputs, lendsMemory);
  }
}

function bothSignals(a: AbortSignal | undefined, b: AbortSignal | undefined) {
  return a && b && a !== b ? AbortSignal.any([a, b]) : (a ?? b);
}
