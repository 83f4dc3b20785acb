import { BaseModel } from 'cloudeasyml';

/** Holds 64 MB of JavaScript's heap while it is loaded. */
export default class Holding extends BaseModel {
  #numbers: number[] = [];

  getMetadata() {
    return { name: 'holding', version: '1.0.0' };
  }

  load(): void {
    this.#numbers = new Array(8_000_000).fill(0.5);
    this.isLoaded = true;
  }

  predict() {
    return { predictions: this.#numbers.length };
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
