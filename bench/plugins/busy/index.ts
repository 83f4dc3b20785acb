import {
  BaseModel,
  type PartialPredictionOutput,
  type PredictionInput,
  type TrainingResult,
} from 'cloudeasyml';

interface Config {
  /** How long a request keeps its core busy. */
  ms: number;
}

/** Costs a known time for each request: what a worker can do is known with it. */
export class BusyModel extends BaseModel<Config> {
  getMetadata() {
    return { name: 'busy', version: '1.0.0', description: 'Costs a known time for the benchmark' };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict({ data }: PredictionInput): PartialPredictionOutput {
    for (const end = performance.now() + this.config.ms; performance.now() < end; );
    return { predictions: data };
  }

  train(): TrainingResult {
    return { status: 'There is nothing to train.' };
  }
}
