import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import {
  BaseModel,
  InferenceSession,
  InputError,
  type PredictionInput,
  type StreamContext,
  Tensor,
} from 'cloudeasyml';

interface Config {
  /** A model that adds one to x, count times. */
  counting?: string;
}

interface Options {
  /** What the stream does: the name of a method. */
  mode?: string;
  count?: number;
  bytes?: number;
  everyMs?: number;
}

/** Streams of every kind; predict() tells how many were begun, ended, yielded to, and so on. */
export default class Streams extends BaseModel<Config> {
  #begun = 0;
  #ended = 0;
  #aborted = 0;
  #yielded = 0;
  #taken = 0;
  #counting: InferenceSession | undefined;

  getMetadata() {
    return { name: 'streams', version: '1.0.0', estimatedCostPerRequest: 0.25 };
  }

  load(): void {
    if (this.config.counting) {
      this.#counting = InferenceSession.createSync(this.config.counting);
    }
    this.isLoaded = true;
  }

  async predict({ data }: PredictionInput) {
    if (data === 'run') this.#runForEver();
    const [begun, ended, aborted] = [this.#begun, this.#ended, this.#aborted];
    const counts = { begun, ended, aborted, yielded: this.#yielded, taken: this.#taken };
    return { predictions: data === 'counts' ? counts : data, metadata: { threadId } };
  }

  async train() {
    return { status: 'There is nothing to train.' };
  }

  override async *stream(inputs: AsyncIterable<PredictionInput>, context: StreamContext) {
    const options = context.options as Options;
    context.signal.addEventListener('abort', () => this.#aborted++);
    this.#begun++;
    try {
      const counted = this.#counted(inputs);
      for await (const predictions of this.#outputs(options, counted, context)) {
        this.#yielded++;
        yield { predictions, metadata: { threadId } };
      }
    } finally {
      this.#ended++;
    }
  }

  async *#counted(inputs: AsyncIterable<PredictionInput>) {
    for await (const input of inputs) {
      this.#taken++;
      yield input;
    }
  }

  async *#outputs(
    { mode = 'echo', count = 1, bytes = 1, everyMs = 0 }: Options,
    inputs: AsyncIterable<PredictionInput>,
    { signal, requestId }: StreamContext,
  ): AsyncGenerator<unknown> {
    switch (mode) {
      case 'echo':
        for await (const { data } of inputs) yield data;
        return;
      case 'requestId':
        yield requestId;
        return;
      case 'sum': {
        let sum = 0;
        for await (const { data } of inputs) {
          sum += data as number;
          yield sum;
        }
        return;
      }
      // All outputs at once, whatever the inputs.
      case 'burst':
        for (let i = 0; i < count; i++) yield 'x'.repeat(bytes);
        return;
      case 'ticks':
        for (let i = 0; i < count; i++) {
          await sleep(everyMs);
          yield i;
        }
        return;
      // Takes inputs, and answers none.
      case 'drain': {
        for await (const _ of inputs) await sleep(everyMs);
        yield 'drained';
        return;
      }
      case 'hang':
        yield 'hanging';
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
        return;
      case 'deaf':
        yield 'deaf';
        await new Promise(() => {});
        return;
      case 'spin':
        yield 'spinning';
        await sleep(1);
        for (;;);
      case 'run':
        yield 'running';
        await sleep(1);
        this.#runForEver();
        yield 'ran';
        return;
      case 'tensor':
        for await (const { data } of inputs) {
          const tensor = data as Tensor<'float32'>;
          yield new Tensor(
            'float32',
            tensor.data.map((value) => value * 2),
            tensor.dims,
          );
        }
        return;
      case 'throw':
        yield 'before';
        throw new Error('It went wrong.');
      case 'refuse':
        for await (const { data } of inputs) {
          if (data === 'bad') throw new InputError('data', 'Expected anything but that.');
          yield data;
        }
    }
  }

  #runForEver(): void {
    this.#counting!.run({
      count: new Tensor('int64', BigInt64Array.of(10n ** 12n), []),
      x: new Tensor('float32', Float32Array.of(0), []),
    });
  }
}
