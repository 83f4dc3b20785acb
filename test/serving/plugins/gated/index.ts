import { threadId } from 'node:worker_threads';
import { BaseModel, type PredictionInput } from 'cloudeasyml';

interface Config {
  /** Where to ask before an answer. */
  gate: string;
}

/** Answers when the gate has let `data` through. */
export default class Gated extends BaseModel<Config> {
  #inside = false;

  getMetadata() {
    return { name: 'gated', version: '1.0.0', estimatedCostPerRequest: 0.5 };
  }

  load(): void {
    this.isLoaded = true;
  }

  async predict({ data }: PredictionInput) {
    if (this.#inside) throw new Error('The instance was entered twice at once.');
    this.#inside = true;
    try {
      const answer = await fetch(`${this.config.gate}/${encodeURIComponent(String(data))}`);
      await answer.text();
      return { predictions: data, metadata: { threadId } };
    } finally {
      this.#inside = false;
    }
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
