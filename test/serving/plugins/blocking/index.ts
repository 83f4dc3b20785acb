import { threadId } from 'node:worker_threads';
import { BaseModel, type PredictionInput, type StreamContext } from 'cloudeasyml';

interface Config {
  /** How it blocks while it is unloaded. */
  onUnload?: string;
}

function block(way: unknown): void {
  switch (way) {
    case 'loop':
      for (;;);
    case 'catch':
      for (;;) {
        try {
          for (;;);
        } catch {
          // It does not want to be stopped.
        }
      }
    case 'wait':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
}

/** Blocks its thread in the way that `data` says, where `options.in` says. */
export default class Blocking extends BaseModel<Config> {
  getMetadata() {
    return { name: 'blocking', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict({ data, options }: PredictionInput) {
    if (options.in === 'promise') return this.#blockLater(data);
    if (options.in === 'timer') {
      return new Promise<never>(() => setTimeout(() => block(data)));
    }
    if (options.in === 'output') return { predictions: { toJSON: () => block(data) } };
    block(data);
    return { predictions: threadId };
  }

  override async *stream(inputs: AsyncIterable<PredictionInput>, _: StreamContext) {
    for await (const { data } of inputs) {
      yield { predictions: data };
      block(data);
    }
  }

  override unload(): void {
    block(this.config.onUnload);
    if (this.config.onUnload === 'throw') throw new Error('It does not unload.');
  }

  async #blockLater(data: unknown) {
    await undefined;
    block(data);
    return { predictions: threadId };
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
