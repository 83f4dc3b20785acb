import { CloudEasyMLError } from '../errors.js';
import type { NativeSessionOptions } from './addon.js';

/** An execution provider by its short name, with options of its own in the same object. */
export interface ExecutionProviderOptions {
  name: string;
  [option: string]: unknown;
}

export interface SessionOptions {
  /**
   * What may run the model's nodes, best first: "tensorrt", "cuda", "cpu", or any other that the library
   * has. The CPU takes what the others leave. `'auto'` takes the best that works on this machine.
   * Default: the CPU.
   */
  executionProviders?: readonly (string | ExecutionProviderOptions)[] | 'auto';
  /** Default 'all'. */
  graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Gives the session threads of its own, this many per run. Default: it shares the process's. */
  intraOpThreads?: number;
  /** The same, for branches of the graph that run side by side. */
  interOpThreads?: number;
  /** Whether memory is planned ahead where shapes repeat. Default true. */
  memoryPattern?: boolean;
  /** Whether freed memory is kept for the next run. Default true. */
  cpuArena?: boolean;
  /** A folder that keeps the optimised model from one start to the next. Default: none. */
  optimizedModelCache?: string;
  /** ONNX Runtime's session config entries, as its documentation names them. */
  configEntries?: Record<string, string>;
}

const optimizationLevels = { disabled: 0, basic: 1, extended: 2, all: 99 } as const;

/** The options as the addon takes them, but for what depends on the model's content. */
export type PreparedOptions = Omit<
  NativeSessionOptions,
  'contentHash' | 'optimizedModelPath' | 'optimizedState'
>;

function invalid(path: string, expected: string, received: unknown): CloudEasyMLError {
  const shown = typeof received === 'object' ? JSON.stringify(received) : String(received);
  return new CloudEasyMLError(
    'invalid_input',
    `Expected ${expected} for ${path} but received ${shown}.`,
    { path },
  );
}

function threadCount(path: string, value: unknown): number {
  if (value === undefined) return 0;
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 4096) {
    throw invalid(path, 'a whole number from 1 to 4096', value);
  }
  return value as number;
}

function flag(path: string, value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'boolean') throw invalid(path, 'true or false', value);
  return value;
}

function entries(path: string, object: object): [string, string][] {
  return Object.entries(object)
    .map(([key, value]): [string, string] => {
      if (!['string', 'number', 'boolean'].includes(typeof value)) {
        throw invalid(`${path}.${key}`, 'a string, a number or a boolean', value);
      }
      return [key, typeof value === 'boolean' ? (value ? '1' : '0') : String(value)];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function providerFrom(
  provider: unknown,
  index: number,
): NativeSessionOptions['executionProviders'][number] {
  const path = `executionProviders[${index}]`;
  if (typeof provider === 'string') return { name: provider.toLowerCase(), options: [] };
  const { name, ...options } = (provider ?? {}) as Partial<ExecutionProviderOptions>;
  if (typeof name !== 'string')
    throw invalid(path, "a provider's name, or {name, …options}", provider);
  return { name: name.toLowerCase(), options: entries(path, options) };
}

/**
 * Checks session options and fills in the defaults.
 *
 * @param executionProviders in the place of the options' own: one candidate where they say 'auto'
 * @throws CloudEasyMLError invalid_input with the option's name as its path
 */
export function prepareOptions(
  options: SessionOptions,
  executionProviders: readonly (string | ExecutionProviderOptions)[],
): PreparedOptions {
  const level = options.graphOptimizationLevel ?? 'all';
  if (!Object.hasOwn(optimizationLevels, level)) {
    throw invalid('graphOptimizationLevel', '"disabled", "basic", "extended" or "all"', level);
  }
  if (!Array.isArray(executionProviders)) {
    throw invalid('executionProviders', 'a list, or "auto"', executionProviders);
  }
  const prepared = {
    executionProviders: executionProviders.map(providerFrom),
    graphOptimizationLevel: optimizationLevels[level],
    intraOpThreads: threadCount('intraOpThreads', options.intraOpThreads),
    interOpThreads: threadCount('interOpThreads', options.interOpThreads),
    memoryPattern: flag('memoryPattern', options.memoryPattern),
    cpuArena: flag('cpuArena', options.cpuArena),
    configEntries: entries('configEntries', options.configEntries ?? {}),
  };
  return { ...prepared, key: JSON.stringify(prepared) };
}
