import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, threadId } from 'node:worker_threads';
import { CloudEasyMLError } from '../errors.js';
import type { ServingAddon } from './servingAddon.js';

/**
 * An open session as the addon describes it. What is no tensor has a type such as
 * `sequence(map(int64, float32))`.
 */
export interface OpenedSession {
  handle: object;
  inputs: { name: string; type: string; dims: (number | string | null)[] }[];
  outputs: { name: string; type: string; dims: (number | string | null)[] }[];
  executionProviders: string[];
}

/** Session options with every default filled in, as the addon reads them. */
export interface NativeSessionOptions {
  /** The other fields in one text: what tells two sessions of one model apart. */
  key: string;
  contentHash: string;
  optimizedModelPath: string;
  /** The state of the model that `optimizedModelPath` is named for. */
  optimizedState: string;
  executionProviders: { name: string; options: [string, string][] }[];
  graphOptimizationLevel: number;
  intraOpThreads: number;
  interOpThreads: number;
  memoryPattern: boolean;
  cpuArena: boolean;
  configEntries: [string, string][];
}

/** Runs one session on this thread; native/bindings/runner.h says how. */
export interface NativeRunner {
  select(outputs: number[]): void;
  bindInput(slot: number, offset: number, rank: number): void;
  bindOutput(slot: number, offset: number, rank: number): void;
  wrapInput(slot: number, data: object, rank: number): void;
  wrapOutput(slot: number, data: object, rank: number): void;
  /** The same for the next run alone. */
  lendOutput(slot: number, data: object, rank: number): void;
  run(): void;
  take(slot: number): ArrayBuffer | string[];
  close(): void;
}

/** ONNX Runtime's IoBinding; native/bindings/ioBinding.cc says how. */
export interface NativeIoBinding {
  bindInput(input: number, data: object, dims: readonly number[]): void;
  bindDeviceInput(input: number, value: object): void;
  clearOutputs(): void;
  bindOutput(output: number, data: object, dims: readonly number[]): void;
  bindOutputTo(output: number, location: string): void;
  run(): void;
  takeOutputs(opaque: boolean[]): [value: object, dims: number[], location: string][];
}

export interface RuntimeSettings {
  library: string;
  intraOpThreads: number;
  interOpThreads: number;
  spinning: boolean;
  /** Names and paths. */
  providerLibraries: [string, string][];
}

/** Called once, with an error or a result. */
type Callback<Result> = (error: CloudEasyMLError | null, result: Result) => void;

/** What native/bindings/addon.cc has in its table. */
export interface Addon extends ServingAddon {
  initialize(errorClass: typeof CloudEasyMLError, threadId: number): ArrayBuffer;
  startRuntime(settings: RuntimeSettings): void;
  ensureRuntimeStarted(settings: RuntimeSettings): void;
  runtimeInfo(): { version: string; library: string; executionProviders: string[] };
  stopThread(threadId: number): void;
  stopAll(): void;
  /** Overwrites a variable's value where the process was given it, which /proc shows to the end. */
  eraseVariable(name: string): void;
  /** Begins to collect this thread's garbage, in small steps. */
  collectGarbage(): void;
  /** What a model consists of now; `weights` is of its external files alone. */
  modelState(
    model: string | Uint8Array,
    contentHash: string,
    configEntries: [string, string][],
  ): { state: string; weights: string };
  openSession(
    model: string | Uint8Array,
    options: NativeSessionOptions,
    callback: Callback<OpenedSession>,
  ): void;
  openSessionSync(model: string | Uint8Array, options: NativeSessionOptions): OpenedSession;
  releaseSession(handle: object): void;
  openSessions(): number;
  createRunner(handle: object): NativeRunner;
  /** Starts a run on another thread; returns its number for cancelRun(). */
  runAsync(
    handle: object,
    inputs: [data: object, dims: readonly number[]][],
    outputs: number[],
    callback: Callback<[data: ArrayBuffer | string[], dims: number[]][]>,
  ): number;
  cancelRun(number: number): void;
  createIoBinding(handle: object): NativeIoBinding;
  /** Null where there can't be a view of such memory. */
  allocatePinned(handle: object, type: string, dims: readonly number[]): ArrayBuffer | null;
}

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

function load(): Addon {
  const file =
    process.env.CLOUDEASYML_ADDON || path.join(root, 'build', 'Release', 'cloudeasyml.node');
  try {
    return createRequire(import.meta.url)(file);
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n');
    throw new CloudEasyMLError(
      'internal',
      `The native engine "${file}" did not load: ${reason}. Build it with: npm run build`,
      { cause },
    );
  }
}

export const addon = load();

/** Memory that this thread and the addon both see; SharedFrame says how it is laid out. */
export const frame = addon.initialize(CloudEasyMLError, threadId);

// A run that goes on while the process ends would keep it from ending, or outlive what it uses.
if (isMainThread) process.once('exit', () => addon.stopAll());
