// Loads a plugin's class in this thread as a server's worker does, and answers with what it found.
import { parentPort, workerData } from 'node:worker_threads';
import { BaseModel, InputError } from 'cloudeasyml';
import { createModel, loadModelClass } from '../../dist/plugin/loadPlugin.js';

const model = createModel(await loadModelClass(workerData), workerData, workerData);
await model.load();
const { predictions } = await model.predict({ data: [1, 2], options: {} });
let thrown;
try {
  await model.predict({ data: 'no list', options: {} });
} catch (error) {
  thrown = error;
}
parentPort.postMessage({
  predictions,
  isBaseModel: model instanceof BaseModel,
  isInputError: thrown instanceof InputError,
});
