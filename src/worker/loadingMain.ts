/** The task of a loading thread: loads one plugin, and keeps its instance until it is released. */
import { once } from 'node:events';
import { threadId } from 'node:worker_threads';
import { Garbage } from './garbage.js';
import { loadFailureOf } from './loadFailure.js';
import { loadInstance } from './loadInstance.js';
import type { FromLoadingThread, LoadingTask } from './messages.js';
import { guardProcess } from './processGuard.js';

guardProcess();

const garbage = new Garbage();

export default async function runLoading({ port, plugin }: LoadingTask): Promise<void> {
  const tell = (message: FromLoadingThread) => port.postMessage(message);
  const released = once(port, 'message');
  tell({ type: 'started', threadId });
  const startedAt = performance.now();
  try {
    const model = await loadInstance(plugin);
    tell({ type: 'loaded', elapsedMs: performance.now() - startedAt });
    await released;
    await model.unload();
  } catch (error) {
    tell({ type: 'failed', failure: loadFailureOf(error, plugin.directory) });
  } finally {
    port.close();
    garbage.collectLater();
  }
}
