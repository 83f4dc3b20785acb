import { parentPort, workerData } from 'node:worker_threads';
import type { Inspected, Inspection } from './inspectPlugin.js';
import { createModel, loadModelClass } from './loadPlugin.js';
import { describePluginError } from './pluginError.js';

async function inspect(plugin: Inspected): Promise<void> {
  try {
    const model = createModel(await loadModelClass(plugin), plugin, plugin);
    describe(model, plugin.directory);
  } catch (error) {
    answer({ reason: describePluginError(error, plugin.directory) });
  }
}

function describe(model: { getMetadata(): unknown; stream?: unknown }, directory: string): void {
  try {
    // What cannot go to another thread, such as a promise, fails here as well.
    answer({ metadata: model.getMetadata(), streams: typeof model.stream === 'function' });
  } catch (error) {
    answer({ reason: `getMetadata() failed. ${describePluginError(error, directory)}` });
  }
}

function answer(inspection: Inspection): void {
  parentPort?.postMessage(inspection);
}

await inspect(workerData);
// A plugin may have started timers or servers at import; the answer is all that is wanted of it.
process.exit();
