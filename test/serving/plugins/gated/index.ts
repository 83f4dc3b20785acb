import { threadId } from 'node:worker_threads';
import { BaseModel, type PredictionInput } from 'cloudeasyml';

interface Config {
  /** Where to ask before an answer. */
  gate: string;
  /** Whether to ask there before it is loaded, too. */
  loadLater?: boolean;
}

/** Answers when the gate has let `data` through. */
export default class Gated extends BaseModel<Config> {
  #inside = false;

  getMetadata() {
    return { name: 'gated', version: '1.0.0', estimatedCostPerRequest: 0.5 };
  }

  async load(): Promise<void> {
    if (this.config.loadLater) await this.#pass('load');
    this.isLoaded = true;
  }

  async predict({ data }: PredictionInput) {
    if (this.#inside) throw new Error('The instance was entered twice at once.');
    this.#inside = true;
    try {
      await this.#pass(String(data));
      return { predictions: data, metadata: { threadId } };
    } finally {
      this.#inside = false;
    }
  }

  async #pass(name: string): Promise<void> {
    const answer = await fetch(`${this.config.gate}/${encodeURIComponent(name)}`);
    await answer.text();
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
