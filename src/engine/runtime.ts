import { createRequire } from 'node:module';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { addon, type RuntimeSettings } from './addon.js';
import { providerName } from './providerName.js';

/** What can be chosen once per process, before the first session. */
export interface RuntimeOptions {
  /** Path of the ONNX Runtime library; the one in `onnxruntime-node` where it is left out. */
  library?: string;
  /**
   * Threads that one run spreads over, its caller's included; 0 takes every core. Keep workers × this
   * at or below the number of cores. Default 1.
   */
  intraOpThreads?: number;
  /** The same for graphs whose branches run side by side. Default 1. */
  interOpThreads?: number;
  /** Whether idle threads spin: fewer wake-ups, at the cost of cores. Default false. */
  spinning?: boolean;
  /**
   * Execution providers that come in libraries of their own: the library's path by the name that sessions
   * ask for, such as `{openvino: '/opt/openvino/libonnxruntime_providers_openvino_plugin.so'}`.
   */
  providerLibraries?: Record<string, string>;
}

/** Where `onnxruntime-node` keeps the library for this platform. */
function bundledLibrary(): string {
  const names: Partial<Record<NodeJS.Platform, string>> = {
    linux: 'libonnxruntime.so.1',
    darwin: 'libonnxruntime.1.dylib',
  };
  const name = names[process.platform];
  if (!name) {
    throw new CloudEasyMLError(
      'library_unavailable',
      `There is no bundled ONNX Runtime library for ${process.platform}. Set onnxRuntime.library.`,
    );
  }
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return path.join(path.dirname(entry), 'bin', 'napi-v6', process.platform, process.arch, name);
}

function threads(name: string, value: number | undefined): number {
  const count = value ?? 1;
  if (!Number.isInteger(count) || count < 0 || count > 4096) {
    throw new CloudEasyMLError(
      'invalid_input',
      `Expected a whole number from 0 to 4096 for ${name} but received ${String(value)}.`,
      { path: name },
    );
  }
  return count;
}

function providerLibraries(libraries: Record<string, string>): [string, string][] {
  return Object.entries(libraries)
    .map(([name, file]): [string, string] => {
      if (!providerName.test(name)) {
        throw new CloudEasyMLError(
          'invalid_input',
          `Expected a provider's name in small letters, other than cpu, but received ${JSON.stringify(name)}.`,
          { path: `providerLibraries.${name}` },
        );
      }
      return [name, path.resolve(file)];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function settingsFrom(options: RuntimeOptions): RuntimeSettings {
  return {
    library: options.library ? path.resolve(options.library) : bundledLibrary(),
    intraOpThreads: threads('intraOpThreads', options.intraOpThreads),
    interOpThreads: threads('interOpThreads', options.interOpThreads),
    spinning: options.spinning ?? false,
    providerLibraries: providerLibraries(options.providerLibraries ?? {}),
  };
}

/**
 * Starts ONNX Runtime for the whole process. Without it the first session starts it with defaults.
 *
 * @throws CloudEasyMLError library_unavailable where a library is missing, too old or something else;
 * conflict where it has been started with other settings
 */
export function configureRuntime(options: RuntimeOptions = {}): void {
  addon.startRuntime(settingsFrom(options));
}

/** Starts ONNX Runtime with defaults, unless it is started. */
export function ensureRuntimeStarted(): void {
  addon.ensureRuntimeStarted(settingsFrom({}));
}

export interface RuntimeInfo {
  /** ONNX Runtime's, such as "1.29.0". */
  version: string;
  /** Path of the library in use. */
  library: string;
  /** Short names ("cuda", "cpu") of what the library was built with. What really works on this machine
   * shows when a session asks for it. */
  executionProviders: string[];
}

/** Describes the ONNX Runtime in use; starts it with defaults where needed. */
export function runtimeInfo(): RuntimeInfo {
  ensureRuntimeStarted();
  return addon.runtimeInfo();
}

/**
 * Ends the runs of a worker thread with an error of the code 'cancelled', now and from now on. A thread
 * inside a long run notices `worker.terminate()` only when the run ends: stop its runs first.
 *
 * @param threadId the worker's `threadId`
 */
export function stopRuns(threadId: number): void {
  addon.stopThread(threadId);
}
