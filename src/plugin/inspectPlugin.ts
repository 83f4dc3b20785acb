import { Worker } from 'node:worker_threads';
import { CloudEasyMLError } from '../errors.js';
import type { ModelMetadata } from './baseModel.js';
import type { PluginCode } from './loadPlugin.js';
import { completeMetadata } from './metadata.js';
import { describePluginError } from './pluginError.js';
import { checkRequirements } from './requirements.js';
import type { ServingConfig } from './servingConfig.js';

/** Node's exit code for a module whose top-level await has nothing left to wait for. */
const unsettledAwait = 13;

/** What the inspecting thread gets. */
export type Inspected = PluginCode & { config: Record<string, unknown>; serving: ServingConfig };

/** What that thread answers with, once. */
export type Inspection = { metadata: unknown; streams: boolean } | { reason: string };

/** What there is to know of a plugin before it is loaded. */
export interface PluginFacts {
  metadata: ModelMetadata;
  /** Whether it implements `stream()`. */
  streams: boolean;
}

/**
 * Learns a code plugin's metadata, and whether it streams, by running it: imports it, makes an instance, asks it, and checks
 * the answer and the requirements in it.
 *
 * This happens in a thread of its own. A plugin that calls `process.exit()` at import ends that thread
 * only, one that loops is stopped at the time limit, and what it imports is gone afterwards. A thread
 * rather than a process because it is what will host the plugin: it starts faster, and a plugin that
 * cannot live in a thread must show now. (What crashes natively crashes the server in both.)
 *
 * @param createdAt the folder's date, ISO 8601
 * @throws CloudEasyMLError `model_load_failed` or `invalid_input` with the reason why it cannot be served
 */
export async function inspectPlugin(
  plugin: Inspected,
  createdAt: string,
  timeoutMs: number,
): Promise<PluginFacts> {
  const worker = new Worker(new URL('./inspectionWorker.js', import.meta.url), {
    workerData: plugin,
    name: `inspect ${plugin.name}`,
  });
  try {
    const inspection = await answerOf(worker, plugin.directory, timeoutMs);
    if ('reason' in inspection) throw new CloudEasyMLError('model_load_failed', inspection.reason);
    const metadata = completeMetadata(inspection.metadata, createdAt);
    checkRequirements(metadata.requirements, plugin.directory);
    return { metadata, streams: inspection.streams };
  } finally {
    // Not awaited: a thread that is inside native code ends only when that returns.
    worker.unref();
    void worker.terminate();
  }
}

function answerOf(worker: Worker, directory: string, timeoutMs: number): Promise<Inspection> {
  return new Promise((resolve) => {
    const limit = setTimeout(
      () => resolve({ reason: `It was not imported within ${timeoutMs / 1000} seconds.` }),
      timeoutMs,
    );
    worker.on('message', resolve);
    worker.on('error', (error) => resolve({ reason: describePluginError(error, directory) }));
    worker.on('exit', (code) => {
      clearTimeout(limit);
      resolve({
        reason:
          code === unsettledAwait
            ? 'Its import awaits something that never comes.'
            : `It ended its thread at import, with process.exit(${code}).`,
      });
    });
  });
}
