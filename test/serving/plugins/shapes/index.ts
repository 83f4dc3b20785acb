import { setTimeout as sleep } from 'node:timers/promises';
import { BaseModel, InputError, type PredictionInput, Tensor } from 'cloudeasyml';

/** Plugins may throw anything. */
function raise(thrown: unknown): never {
  throw thrown;
}

const large = 2n ** 53n + 1n;

/** What a plugin may answer with, and how it may fail. */
const deeds: Record<string, () => unknown> = {
  float32: () => new Float32Array([0.1, 1e-7, -3.4e38, 0, 16777217]),
  float64: () => [new Float64Array([0.1, 1e300])],
  uint8: () => ({ image: { pixels: new Uint8Array([0, 255]) } }),
  smallBigInts: () => [1n, new BigInt64Array([-5n, 6n])],
  largeBigInt: () => [large],
  notFinite: () => [Number.NaN, new Float32Array([Infinity])],
  tensor: () => new Tensor('float32', new Float32Array([0.1, 0.2, 0.3, 0.4]), [2, 2]),
  int64Tensor: () => new Tensor('int64', new BigInt64Array([1n, -2n]), [2, 1]),
  boolTensor: () => new Tensor('bool', new Uint8Array([1, 0]), [2]),
  stringTensor: () => ({ names: new Tensor('string', ['a', 'é'], [1, 2]) }),
  scalarTensor: () => new Tensor('float32', new Float32Array([2.5]), []),
  nothing: () => undefined,
  aFunction: () => () => 1,
  aCircle: () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    return circle;
  },
  throwError: () => {
    throw new Error('the deed failed');
  },
  throwText: () => raise('only a text'),
  throwBare: () => raise(Object.create(null)),
  throwInput: () => {
    throw new InputError('data[7].size', 'expected a smaller one');
  },
  throwForeignInput: () => {
    throw Object.assign(new Error('from a copy of the class'), {
      name: 'InputError',
      path: 'options.size',
    });
  },
};

/** Answers each request with what the deed that it names makes. */
export default class Shapes extends BaseModel {
  getMetadata() {
    return { name: 'shapes', version: '1.0.0' };
  }

  load(): void {
    this.isLoaded = true;
  }

  async predict({ data, options }: PredictionInput) {
    if (options.later) await sleep(1);
    const deed = deeds[String(data)];
    return { predictions: deed ? deed() : data };
  }

  /** In vain for all where one fails; config.short has it answer too few. */
  override async predictBatch(inputs: PredictionInput[]) {
    const outputs = await Promise.all(inputs.map((input) => this.predict(input)));
    return this.config.short ? outputs.slice(1) : outputs;
  }

  train() {
    return { status: 'there is nothing to train' };
  }
}
