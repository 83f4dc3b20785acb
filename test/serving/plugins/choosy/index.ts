import { existsSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { BaseModel } from 'cloudeasyml';

interface Config {
  /** While there is such a file it does not load. */
  obstacle: string;
}

/** Loads where nothing is in its way, and tells the thread that answers. */
export default class Choosy extends BaseModel<Config> {
  getMetadata() {
    return { name: 'choosy', version: '1.0.0' };
  }

  load(): void {
    if (existsSync(this.config.obstacle)) throw new Error('There is an obstacle.');
    this.isLoaded = true;
  }

  predict() {
    return { predictions: threadId };
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
