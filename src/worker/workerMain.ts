/** The one task of each pool thread: its batch loop, and the pool's messages to it. */
import { threadId } from 'node:worker_threads';
import { BatchLoop } from './batchLoop.js';
import { loadFailureOf } from './loadFailure.js';
import type { FromWorker, Hosting, ToWorker, WorkerTask } from './messages.js';
import { guardProcess } from './processGuard.js';

guardProcess();

export default async function runWorker({ port }: WorkerTask): Promise<void> {
  const tell = (message: FromWorker) => port.postMessage(message);
  const loop = new BatchLoop(tell);

  const host = async (hosting: Hosting) => {
    const { handle, plugin } = hosting;
    try {
      await loop.host(hosting);
      tell({ type: 'hosted', handle });
    } catch (error) {
      tell({ type: 'failed', handle, failure: loadFailureOf(error, plugin?.directory ?? '') });
    }
  };

  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'host':
        void host(message.hosting);
        break;
      case 'unhost':
        void loop
          .unhost(message.handle)
          .then(() => tell({ type: 'unhosted', handle: message.handle }));
        break;
      case 'ping':
        tell({ type: 'pong' });
        break;
      case 'stop':
        loop.stop();
    }
  });
  tell({ type: 'ready', workerId: loop.workerId, threadId });
  await loop.run();
  port.close();
}
