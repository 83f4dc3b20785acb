/** The one task of each pool thread: its batch loop, and the pool's messages to it. */
import { threadId } from 'node:worker_threads';
import { BatchLoop } from './batchLoop.js';
import { loadFailureOf } from './loadFailure.js';
import type { FromWorker, Hosting, ToWorker, WorkerTask } from './messages.js';

export default async function runWorker({ port }: WorkerTask): Promise<void> {
  const loop = new BatchLoop();
  const tell = (message: FromWorker) => port.postMessage(message);

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
