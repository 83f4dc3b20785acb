import { BaseModel, type PredictionInput } from 'cloudeasyml';

/** Answers each request of a batch with what it asked. */
export default class Echo extends BaseModel {
  getMetadata() {
    return { name: 'echo', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict(input: PredictionInput) {
    return this.predictBatch([input])[0]!;
  }

  override predictBatch(inputs: PredictionInput[]) {
    return inputs.map(({ data, options }) => ({ predictions: data, metadata: { options } }));
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
