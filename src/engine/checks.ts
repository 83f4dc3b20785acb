import { CloudEasyMLError } from '../errors.js';
import { elementCount, Tensor } from './tensor.js';
import { describeInfo, type PlacedValue } from './valueInfo.js';

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object'
    ? `a ${value.constructor?.name ?? 'object'}`
    : `a ${typeof value}`;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

/** Says what is wrong with `feeds` or `outputs` whose names are not the model's. */
export function wrongNames(
  kind: 'input' | 'output',
  given: readonly string[],
  known: readonly string[],
): CloudEasyMLError {
  const unknown = given.find((name) => !known.includes(name));
  const missing = known.find((name) => !given.includes(name));
  if (unknown === undefined) {
    return new CloudEasyMLError('invalid_input', `The input "${missing}" is missing.`, {
      path: missing,
    });
  }
  return new CloudEasyMLError(
    'invalid_input',
    `The model has no ${kind} "${unknown}". Its ${kind}s are ${quoted(known)}.`,
    { path: unknown },
  );
}

export function notATensor(name: string, value: unknown): CloudEasyMLError {
  return new CloudEasyMLError(
    'invalid_input',
    `Expected a Tensor for "${name}" but received ${describeValue(value)}.`,
    { path: name },
  );
}

/**
 * Checks a tensor against what the model declares.
 *
 * @throws CloudEasyMLError invalid_input with the input's or output's name as its path
 */
export function checkTensor(info: PlacedValue, tensor: unknown): asserts tensor is Tensor {
  if (!(tensor instanceof Tensor)) throw notATensor(info.name, tensor);
  checkFit(info, tensor);
}

/** Checks a type and a shape against what the model declares. */
export function checkFit(
  info: PlacedValue,
  { type, dims }: { type: string; dims: readonly number[] },
): void {
  const fits =
    type === info.type &&
    dims.length === info.dims.length &&
    info.dims.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis]);
  if (!fits) {
    throw new CloudEasyMLError(
      'invalid_input',
      `Expected ${describeInfo(info)} for "${info.name}" but received ${type} [${dims.join(', ')}].`,
      { path: info.name },
    );
  }
}

/** The same, and that the tensor's memory is all there. */
export function checkWholeTensor(info: PlacedValue, tensor: unknown): asserts tensor is Tensor {
  checkTensor(info, tensor);
  const length = elementCount(tensor.dims);
  if (tensor.data.length !== length) throw wrongMemory(info.name, length, tensor.data.length);
}

/** Says that a tensor's memory is not there any more, or is smaller than its shape. */
export function wrongMemory(name: string, expected: number, received: number): CloudEasyMLError {
  const why = received === 0 ? 'its memory was detached' : 'its memory was resized';
  return new CloudEasyMLError(
    'invalid_input',
    `Expected ${expected} elements for "${name}" but received ${received}: ${why}.`,
    { path: name },
  );
}
