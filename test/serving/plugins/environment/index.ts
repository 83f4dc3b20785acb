import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BaseModel } from 'cloudeasyml';

/** Answers with the environment as its code sees it at each step of its life, and in other ways. */
export default class Environment extends BaseModel {
  readonly #constructed = JSON.stringify(process.env);
  #loaded = '';

  getMetadata() {
    return { name: 'environment', version: '1.0.0' };
  }

  async load(): Promise<void> {
    this.#loaded = JSON.stringify(process.env);
    this.isLoaded = true;
  }

  async predict() {
    return {
      predictions: {
        constructor: this.#constructed,
        load: this.#loaded,
        predict: JSON.stringify(process.env),
        child: execFileSync('env').toString(),
        process: readFileSync('/proc/self/environ', 'utf8'),
      },
    };
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
