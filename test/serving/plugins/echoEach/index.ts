import { BaseModel, type PredictionInput } from 'cloudeasyml';

/** Answers a request with what it asked, after a turn of the event loop where `options.later` says so. */
export default class EchoEach extends BaseModel {
  getMetadata() {
    return { name: 'echoEach', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict({ data, options }: PredictionInput) {
    const output = { predictions: data, metadata: { options } };
    if (!options.later) return output;
    return new Promise<typeof output>((resolve) => setImmediate(resolve, output));
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
