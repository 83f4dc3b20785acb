import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { CloudEasyMLError, type ErrorCode } from '../errors.js';
import type { BaseModel, TrainingResult } from '../plugin/baseModel.js';
import { createModel, loadModelClass } from '../plugin/loadPlugin.js';
import { describePluginError } from '../plugin/pluginError.js';
import { onProgress } from '../plugin/trainingProgress.js';
import { validate } from '../validation/validate.js';
import type { TrainingMessage, TrainingOrder } from './trainer.js';

const resultSchema = z.looseObject(
  {
    status: z.string({ error: 'text' }),
    metrics: z
      .record(
        z.string(),
        z.custom<number>((value) => typeof value === 'number', 'a number'),
        {
          error: 'a mapping of numbers',
        },
      )
      .optional(),
    savedTo: z.string({ error: 'a path' }).optional(),
  },
  { error: 'a mapping with a status' },
);

async function run({ plugin, data, config }: TrainingOrder): Promise<TrainingResult> {
  const model = createModel(await loadModelClass(plugin), plugin, plugin);
  try {
    return validate(resultSchema, await model.train(data, config), { path: ['train()'] });
  } finally {
    await unload(model);
  }
}

async function unload(model: BaseModel): Promise<void> {
  if (model.isLoaded) await model.unload();
}

/** An InputError's mark is its name: a plugin may have met the class in another copy of this package. */
function failureOf(error: unknown): { code: ErrorCode; message: string; path?: string } {
  if (error instanceof CloudEasyMLError) {
    const { code, message, path } = error;
    // What train() answered with is the plugin's fault, not the caller's.
    return path?.startsWith('train()')
      ? { code: 'plugin_failed', message }
      : { code, message, path };
  }
  if (error instanceof Error && error.name === 'InputError') {
    const path = String(Reflect.get(error, 'path'));
    return { code: 'invalid_input', message: `${path}: ${error.message}`, path };
  }
  const order: TrainingOrder = workerData;
  const what = describePluginError(error, order.plugin.directory);
  return { code: 'plugin_failed', message: `The training failed. ${what}` };
}

function say(message: TrainingMessage): void {
  parentPort?.postMessage(message);
}

onProgress((progress) => say({ progress }));
try {
  const result = await run(workerData);
  say({ result });
} catch (error) {
  say({ failure: failureOf(error) });
}
