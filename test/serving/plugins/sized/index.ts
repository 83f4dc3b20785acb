import { BaseModel, type PredictionInput } from 'cloudeasyml';

/** Answers with a text of `data` characters; so do its streams, for each input. */
export default class Sized extends BaseModel {
  getMetadata() {
    return { name: 'sized', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict({ data }: PredictionInput) {
    return { predictions: 'x'.repeat(data as number), metadata: {} };
  }

  override async *stream(inputs: AsyncIterable<PredictionInput>) {
    for await (const input of inputs) yield this.predict(input);
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
