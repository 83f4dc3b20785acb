import { setTimeout as sleep } from 'node:timers/promises';
import {
  BaseModel,
  InferenceSession,
  type PredictionContext,
  type PredictionInput,
  Tensor,
} from 'cloudeasyml';

interface Config {
  /** A model that adds one to x, count times. */
  counting: string;
}

/** Does with its context what `data` says; `ends` tells how the deeds before ended. */
export default class Contextual extends BaseModel<Config> {
  #counting: InferenceSession | undefined;
  #ends: string[] = [];

  getMetadata() {
    return { name: 'contextual', version: '1.0.0' };
  }

  load(): void {
    this.#counting = InferenceSession.createSync(this.config.counting);
    this.isLoaded = true;
  }

  async predict({ data }: PredictionInput, context: PredictionContext) {
    const { signal, logger } = context;
    switch (data) {
      case 'ends':
        return { predictions: this.#ends };
      case 'describe': {
        const { deadline, requestId } = context;
        return {
          predictions: { leftMs: deadline - Date.now(), requestId, aborted: signal.aborted },
        };
      }
      case 'log':
        logger.warn('The plugin has something to say.', { count: 3, error: new RangeError('odd') });
        return { predictions: 'logged' };
      case 'throw':
        await sleep(1);
        throw new RangeError('The plugin does not like it.');
      case 'wait':
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        this.#ends.push(`aborted: ${signal.reason.code}`);
        throw signal.reason;
      case 'run':
        await sleep(1);
        try {
          this.#runForEver();
        } catch (error) {
          this.#ends.push(`stopped: ${(error as { code?: string }).code}`);
          throw error;
        }
    }
    return { predictions: data };
  }

  override unload(): void {
    this.#counting?.release();
  }

  train() {
    return { status: 'there is nothing to train' };
  }

  #runForEver(): void {
    this.#counting!.run({
      count: new Tensor('int64', BigInt64Array.of(10n ** 12n), []),
      x: new Tensor('float32', Float32Array.of(0), []),
    });
  }
}
