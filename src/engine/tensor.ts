import { CloudEasyMLError } from '../errors.js';
import {
  bfloat16ToNumber,
  dataClasses,
  float16ToNumber,
  int64ToJSON,
  isTensorType,
  type TensorDataOf,
  type TensorType,
} from './elementTypes.js';

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return value.constructor?.name ?? 'an object';
  return `a ${typeof value}`;
}

function invalid(message: string): CloudEasyMLError {
  return new CloudEasyMLError('invalid_input', message);
}

/** How many elements a shape has: 1 for a scalar's `[]`. Throws where an axis has no valid length. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw invalid(`Expected whole numbers of at least 0 for dims but received [${dims}].`);
    }
    count *= dim;
  }
  return count;
}

/**
 * An n-dimensional array: a flat one in row-major order, and the lengths of its axes.
 *
 * The data is not copied: what is written to the typed array later is what a model sees.
 *
 * @example new Tensor('float32', Float32Array.of(5.1, 3.5, 1.4, 0.2), [1, 4])
 */
export class Tensor<T extends TensorType = TensorType> {
  readonly type: T;
  readonly data: TensorDataOf[T];
  readonly dims: readonly number[];
  /** How many elements it has. */
  readonly size: number;

  /**
   * @param dims one length per axis; `[data.length]` where it is left out, `[]` for a scalar
   * @throws CloudEasyMLError invalid_input where type, data and dims do not fit together
   */
  constructor(type: T, data: TensorDataOf[T], dims: readonly number[] = [data.length]) {
    if (!isTensorType(type)) {
      throw invalid(`Expected a tensor type such as "float32" but received ${String(type)}.`);
    }
    if (type === 'string') {
      if (!Array.isArray(data)) {
        throw invalid(
          `Expected an array of strings for a string tensor but received ${describe(data)}.`,
        );
      }
    } else if (!(data instanceof dataClasses[type as Exclude<TensorType, 'string'>])) {
      const expected = dataClasses[type as Exclude<TensorType, 'string'>].name;
      throw invalid(`Expected ${expected} for a ${type} tensor but received ${describe(data)}.`);
    }
    const size = elementCount(dims);
    if (size !== data.length) {
      throw invalid(
        `Expected ${size} elements for the shape [${dims}] but received ${data.length}.`,
      );
    }
    this.type = type;
    this.data = data;
    this.dims = dims;
    this.size = size;
  }

  /**
   * The elements as (nested) arrays, one level per axis: numbers, booleans or strings. 64-bit integers
   * that a number can't hold exactly become strings.
   */
  toJSON(): unknown {
    const at = this.#reader();
    let next = 0;
    const level = (axis: number): unknown => {
      if (axis === this.dims.length) return at(next++);
      return Array.from({ length: this.dims[axis]! }, () => level(axis + 1));
    };
    return level(0);
  }

  #reader(): (index: number) => unknown {
    const data: TensorDataOf[TensorType] = this.data;
    switch (this.type as TensorType) {
      case 'float16':
        return (index) => float16ToNumber(data[index] as number);
      case 'bfloat16':
        return (index) => bfloat16ToNumber(data[index] as number);
      case 'int64':
      case 'uint64':
        return (index) => int64ToJSON(data[index] as bigint);
      case 'bool':
        return (index) => data[index] !== 0;
      default:
        return (index) => data[index];
    }
  }
}

/** The tensor over elements that the addon gave out. */
export function tensorOver(type: TensorType, elements: object, dims: readonly number[]): Tensor {
  return type === 'string'
    ? new Tensor('string', elements as string[], dims)
    : new Tensor(type, new dataClasses[type](elements as ArrayBuffer), dims);
}
