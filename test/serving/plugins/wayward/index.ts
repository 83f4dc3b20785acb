import { threadId } from 'node:worker_threads';
import { BaseModel, InputError, type PredictionInput } from 'cloudeasyml';

/** Does to its worker what `data` says. */
export default class Wayward extends BaseModel {
  getMetadata() {
    return { name: 'wayward', version: '1.0.0' };
  }

  async load(): Promise<void> {
    if (this.config.onLoad) await this.predict({ data: this.config.onLoad, options: {} });
    this.isLoaded = true;
  }

  predict({ data }: PredictionInput) {
    switch (data) {
      case 'tell the thread': {
        // Long enough for other workers to get a request of many.
        for (const end = performance.now() + 2; performance.now() < end; );
        return { predictions: threadId };
      }
      case 'exit':
        return process.exit(1);
      case 'reallyExit':
        return (process as unknown as { reallyExit(code: number): never }).reallyExit(1);
      case 'abort':
        return process.abort();
      case 'kill':
        process.kill(process.pid, 'SIGKILL');
        return new Promise<never>(() => {});
      case 'throw later':
        setTimeout(() => {
          throw new Error('thrown in a timer');
        });
        return new Promise<never>(() => {});
      case 'reject unheard':
        void Promise.reject(new Error('rejected unheard'));
        return new Promise<never>(() => {});
      case 'loop':
        for (;;);
      case 'never answer':
        return new Promise<never>(() => {});
      default:
        throw new InputError('data', 'Expected a deed that the plugin knows.');
    }
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
