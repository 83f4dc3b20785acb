import { setTimeout as sleep } from 'node:timers/promises';
import { BaseModel, type PredictionInput } from 'cloudeasyml';

/** Takes a while for a whole batch. */
export default class Together extends BaseModel {
  getMetadata() {
    return { name: 'together', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  async predict(input: PredictionInput) {
    return (await this.predictBatch([input]))[0]!;
  }

  override async predictBatch(inputs: PredictionInput[]) {
    await sleep(50);
    return inputs.map(({ data }) => ({ predictions: data }));
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
