import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import { stopRuns } from '../engine/runtime.js';
import { CloudEasyMLError } from '../errors.js';
import { loadError, loadTimedOut } from './loadFailure.js';
import type { FromLoadingThread, HostedPlugin, LoadingTask, ToLoadingThread } from './messages.js';

/** Deployments that load side by side. */
const mostThreads = 16;
const idleMs = 5_000;
/** How long unload() may take. */
const unloadMs = 10_000;

/** A plugin that has loaded. Its sessions stay open until it is released. */
export interface LoadedInstance {
  /** How long it took. */
  elapsedMs: number;
  release(): void;
}

/**
 * Threads in which plugins load before the workers load them. Such a thread hosts nothing else: what a
 * plugin does to it costs only the plugin.
 */
export class LoadingThreads {
  readonly #pool: Piscina;
  readonly #logger: Logger;
  readonly #stops = new Set<() => void>();

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./loadingMain.js', import.meta.url)),
      minThreads: 0,
      maxThreads: mostThreads,
      idleTimeout: idleMs,
      atomics: 'disabled',
    });
    this.#pool.on('error', (error) => logger.warn({ err: error }, 'a loading thread failed'));
  }

  /**
   * Loads a plugin. Its time begins when a thread is free for it.
   *
   * @param signal ends the attempt at once
   * @throws CloudEasyMLError model_load_failed with the plugin's reason; the signal's reason
   */
  async load(plugin: HostedPlugin, signal: AbortSignal): Promise<LoadedInstance> {
    signal.throwIfAborted();
    const { port1: port, port2 } = new MessageChannel();
    const kill = new AbortController();
    let threadId: number | undefined;
    const stop = () => {
      // Terminating a thread waits for the model that it runs.
      if (threadId !== undefined) stopRuns(threadId);
      kill.abort();
    };
    this.#stops.add(stop);
    const closed = new Promise<void>((resolve) => port.once('close', resolve));
    const task: LoadingTask = { port: port2, plugin };
    const ended = this.#pool.run(task, { transferList: [port2], signal: kill.signal });
    let timer: NodeJS.Timeout | undefined;
    let onAbort = () => {};
    try {
      const elapsedMs = await new Promise<number>((resolve, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener('abort', onAbort);
        port.on('message', (message: FromLoadingThread) => {
          if (message.type === 'loaded') resolve(message.elapsedMs);
          else if (message.type === 'failed') reject(loadError(message.failure));
          else {
            threadId = message.threadId;
            const { loadTimeoutMs } = plugin.serving;
            timer = setTimeout(() => reject(loadTimedOut(loadTimeoutMs)), loadTimeoutMs);
          }
        });
        const onEnd = (reason?: unknown) => reject(threadStopped(reason));
        // What the thread has said comes before the port closes.
        ended.then(() => closed.then(() => onEnd()), onEnd);
      });
      return { elapsedMs, release: () => this.#release(port, ended, stop) };
    } catch (error) {
      this.#release(port, ended, stop);
      stop();
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.#pool.destroy();
  }

  /** Has the instance unloaded, and the thread ended where that hangs. */
  #release(port: MessageChannel['port1'], ended: Promise<unknown>, stop: () => void): void {
    const message: ToLoadingThread = 'release';
    port.postMessage(message);
    const timer = setTimeout(stop, unloadMs);
    ended
      .catch((error) => this.#logger.debug({ err: error }, 'a loading thread was ended'))
      .finally(() => {
        clearTimeout(timer);
        port.close();
        this.#stops.delete(stop);
      });
  }
}

function threadStopped(reason: unknown): CloudEasyMLError {
  const why = reason instanceof Error ? `: ${reason.message}` : '';
  return new CloudEasyMLError(
    'model_load_failed',
    `The plugin stopped its thread while it loaded${why}.`,
    { cause: reason },
  );
}
