import { BaseModel, InputError, type PredictionInput } from 'cloudeasyml';

interface Config {
  factor?: number;
  /** What it says that a prediction took. */
  processingTimeMs?: number;
}

/** Doubles each number of its data. */
export default class Doubler extends BaseModel<Config> {
  getMetadata() {
    return {
      name: 'doubler',
      version: '1.2.0',
      description: 'Doubles',
      author: 'test',
      estimatedCostPerRequest: 0.5,
    };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict({ data }: PredictionInput) {
    const { factor = 2, processingTimeMs } = this.config;
    if (!Array.isArray(data)) throw new InputError('data', 'Expected a list of numbers.');
    const predictions = data.map((value: number) => value * factor);
    return { predictions, ...(processingTimeMs !== undefined && { processingTimeMs }) };
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
