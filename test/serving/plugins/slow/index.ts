import { setTimeout as sleep } from 'node:timers/promises';
import { BaseModel, type PredictionInput } from 'cloudeasyml';

interface Config {
  /** How long a request takes. */
  ms: number;
  /** How long the first one takes. */
  firstMs?: number;
}

/** Takes its time for each request, and none of the machine's. */
export default class Slow extends BaseModel<Config> {
  #isFirst = true;

  getMetadata() {
    return { name: 'slow', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  async predict({ data }: PredictionInput) {
    const { ms, firstMs = ms } = this.config;
    const time = this.#isFirst ? firstMs : ms;
    this.#isFirst = false;
    await sleep(time);
    return { predictions: data };
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
