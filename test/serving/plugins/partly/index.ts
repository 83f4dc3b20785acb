import { BaseModel, InputError, type PredictionContext, type PredictionInput } from 'cloudeasyml';

/** Answers the requests of a batch that it can answer. */
export default class Partly extends BaseModel {
  #single = 0;

  getMetadata() {
    return { name: 'partly', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict() {
    this.#single++;
    return { predictions: 'alone' };
  }

  override predictBatch(inputs: PredictionInput[], contexts: readonly PredictionContext[]) {
    return inputs.map(({ data }, index) => {
      if (data === 'wrong') return new InputError('data', 'expected something else');
      if (data === 'bad') return new Error('It went bad.');
      const { signal } = contexts[index]!;
      return { predictions: { data, aborted: signal.aborted, single: this.#single } };
    });
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
