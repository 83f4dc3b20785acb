import { createHash } from 'node:crypto';
import { BaseModel, type PredictionInput } from 'cloudeasyml';

/** Tells what it got: bytes by their length and hash, all else as it is. */
export default class Describing extends BaseModel {
  getMetadata() {
    return { name: 'describing', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  predict({ data, options, contentType }: PredictionInput) {
    return { predictions: described(data), metadata: { options, contentType } };
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}

function described(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const sha256 = createHash('sha256').update(value).digest('hex');
    return { bytes: value.byteLength, sha256 };
  }
  if (Array.isArray(value)) return value.map(described);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, described(member)]),
  );
}
