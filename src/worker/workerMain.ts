/** The one task of each pool thread: its batch loop, and the pool's messages to it. */
import { threadId } from 'node:worker_threads';
import { CloudEasyMLError } from '../errors.js';
import { InputError } from '../plugin/baseModel.js';
import { describePluginError } from '../plugin/pluginError.js';
import { BatchLoop } from './batchLoop.js';
import type { FromWorker, Hosting, LoadFailure, ToWorker, WorkerTask } from './messages.js';

export default async function runWorker({ port }: WorkerTask): Promise<void> {
  const loop = new BatchLoop();
  const tell = (message: FromWorker) => port.postMessage(message);

  const host = async (hosting: Hosting) => {
    const { handle, plugin } = hosting;
    try {
      await loop.host(hosting);
      tell({ type: 'hosted', handle });
    } catch (error) {
      tell({ type: 'failed', handle, ...describe(error, plugin?.directory ?? '') });
    }
  };

  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'host':
        void host(message.hosting);
        break;
      case 'unhost':
        loop
          .unhost(message.handle)
          .catch(() => {})
          .finally(() => tell({ type: 'unhosted', handle: message.handle }));
        break;
      case 'stop':
        loop.stop();
    }
  });
  tell({ type: 'ready', workerId: loop.workerId, threadId });
  await loop.run();
  port.close();
}

function describe(error: unknown, directory: string): Omit<LoadFailure, 'type' | 'handle'> {
  // A plugin that checks its settings in load() blames the deployment's config with it.
  if (error instanceof InputError) {
    return { code: 'invalid_input', message: `${error.path}: ${error.message}`, path: error.path };
  }
  if (error instanceof CloudEasyMLError) return { code: error.code, message: error.message };
  return { code: 'model_load_failed', message: describePluginError(error, directory) };
}
