import { parentPort, workerData } from 'node:worker_threads';
import { CloudEasyMLError } from '../errors.js';
import type { ModelMetadata } from './baseModel.js';
import type { Inspected } from './inspectPlugin.js';
import { createModel, loadModelClass } from './loadPlugin.js';
import { completeMetadata } from './metadata.js';
import { describePluginError } from './pluginError.js';
import { checkRequirements } from './requirements.js';

/** What this thread answers with, once. */
export type Inspection = { metadata: ModelMetadata } | { reason: string };

async function inspect({ plugin, createdAt }: Inspected): Promise<Inspection> {
  try {
    const model = createModel(await loadModelClass(plugin), plugin, plugin);
    const metadata = completeMetadata(answerOf(model), createdAt);
    checkRequirements(metadata.requirements, plugin.directory);
    return { metadata };
  } catch (error) {
    return { reason: describePluginError(error, plugin.directory) };
  }

  function answerOf(model: { getMetadata(): unknown }): unknown {
    try {
      return model.getMetadata();
    } catch (error) {
      const what = describePluginError(error, plugin.directory);
      throw new CloudEasyMLError('model_load_failed', `getMetadata() failed: ${what}`, {
        cause: error,
      });
    }
  }
}

parentPort?.postMessage(await inspect(workerData));
// A plugin may have started timers or servers at import; the answer is all that is wanted of it.
process.exit();
