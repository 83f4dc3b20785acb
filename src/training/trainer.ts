import { Worker } from 'node:worker_threads';
import { CloudEasyMLError, type ErrorCode } from '../errors.js';
import type { TrainingResult } from '../plugin/baseModel.js';
import type { Plugin } from '../plugin/discovery.js';
import type { TrainingProgress } from '../plugin/trainingProgress.js';

/** What a training gets. */
export interface TrainingOptions {
  /** Handed to `train()` as it is; undefined asks for the plugin's own data. */
  data?: unknown;
  /** The settings of this training, `train()`'s second argument. */
  config?: Record<string, unknown>;
  onProgress?: (progress: TrainingProgress) => void;
  /** Stops the training at once, wherever it is. */
  signal?: AbortSignal;
}

/** What the training's thread says, each as it comes; the last is a result or a failure. */
export type TrainingMessage =
  | { progress: TrainingProgress }
  | { result: TrainingResult }
  | { failure: { code: ErrorCode; message: string; path?: string } };

/** What the training's thread starts with. */
export interface TrainingOrder {
  plugin: Plugin;
  data: unknown;
  config: Record<string, unknown>;
}

/**
 * Runs a plugin's `train()` in a thread of its own. The model is not loaded first, and what it saves
 * under `modelDirectory(name)` is found by the next deployment.
 *
 * @returns what `train()` answered
 * @throws CloudEasyMLError `invalid_input` where the data does not fit or the plugin has no code,
 *   `model_load_failed` where the plugin does not load, `plugin_failed` where its training fails,
 *   `cancelled` where the signal stopped it
 */
export async function trainPlugin(
  plugin: Plugin,
  { data, config = {}, onProgress, signal }: TrainingOptions = {},
): Promise<TrainingResult> {
  if (plugin.kind !== 'code') {
    throw new CloudEasyMLError(
      'invalid_input',
      `${plugin.name} is a plugin with no code: there is nothing to train.`,
    );
  }
  if (signal?.aborted) throw cancelled(plugin);
  const order: TrainingOrder = { plugin, data, config };
  const worker = new Worker(new URL('./trainingWorker.js', import.meta.url), {
    workerData: order,
    name: `train ${plugin.name}`,
  });
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(cancelled(plugin));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([answerOf(worker, onProgress), aborted]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Awaited, so that nothing is written any more once the caller knows of the end.
    await worker.terminate();
  }
}

function cancelled(plugin: Plugin): CloudEasyMLError {
  return new CloudEasyMLError('cancelled', `The training of ${plugin.name} was stopped.`);
}

function answerOf(
  worker: Worker,
  onProgress?: (progress: TrainingProgress) => void,
): Promise<TrainingResult> {
  return new Promise((resolve, reject) => {
    const fail = (message: string) => reject(new CloudEasyMLError('plugin_failed', message));
    worker.on('message', (message: TrainingMessage) => {
      if ('progress' in message) onProgress?.(message.progress);
      else if ('result' in message) resolve(message.result);
      else {
        const { code, message: sentence, path } = message.failure;
        reject(new CloudEasyMLError(code, sentence, { path }));
      }
    });
    worker.on('error', (error) => fail(`The training failed outside train(): ${error.message}`));
    worker.on('exit', (code) => fail(`The training ended its own thread, with exit code ${code}.`));
  });
}
