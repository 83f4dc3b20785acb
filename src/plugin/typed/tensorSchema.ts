import { z } from 'zod';
import { dataClasses, type TensorType } from '../../engine/elementTypes.js';
import { elementCount, Tensor } from '../../engine/tensor.js';

/** The length of an axis: a number; a name for one that varies, the same name for the same length. */
export type Axis = number | string;

/** What a tensor is like. */
export interface TensorSpec<Type extends TensorType = TensorType> {
  type: Type;
  /** One per axis. */
  dims: readonly Axis[];
}

/** A schema of tensors; its values are {@link Tensor}s whatever the client sent. */
export type TensorSchema<Type extends TensorType = TensorType> = z.ZodType<Tensor<Type>, unknown>;

const specs = new WeakMap<object, TensorSpec>();

/** What a schema that {@link tensor} made describes; undefined for others. */
export function specOf(schema: unknown): TensorSpec | undefined {
  return typeof schema === 'object' && schema !== null ? specs.get(schema) : undefined;
}

/**
 * A schema for a tensor: nested lists of JSON, or the bytes of a binary frame, become a {@link Tensor}.
 *
 * @param dims the axes, outermost first: `['batch', 784]`
 * @example input: tensor('float32', ['batch', 784])
 */
export function tensor<Type extends TensorType>(
  type: Type,
  dims: readonly Axis[],
): TensorSchema<Type> {
  const spec: TensorSpec<Type> = { type, dims: [...dims] };
  const schema = z.unknown().transform((value, context) => {
    const faults: Fault[] = [];
    const found =
      value instanceof Tensor ? checked(value, spec, faults) : parsed(value, spec, faults);
    for (const { path, message } of faults) {
      context.addIssue({ code: 'custom', message, path: [...path], input: value });
    }
    return found as Tensor<Type>;
  }) as unknown as TensorSchema<Type>;
  specs.set(schema, spec);
  return schema;
}

interface Fault {
  path: readonly number[];
  /** What was expected there. */
  message: string;
}

function shapeText({ type, dims }: TensorSpec): string {
  return `${type}[${dims.join(', ')}]`;
}

function checked(given: Tensor, spec: TensorSpec, faults: Fault[]): Tensor {
  const fits =
    given.type === spec.type &&
    given.dims.length === spec.dims.length &&
    spec.dims.every((dim, axis) => typeof dim === 'string' || dim === given.dims[axis]);
  if (!fits) {
    faults.push({ path: [], message: shapeText(spec) });
  }
  return given;
}

/** Nested lists, whose lengths must agree. */
function parsed(value: unknown, spec: TensorSpec, faults: Fault[]): Tensor | undefined {
  const dims: number[] = [];
  for (let level = value; dims.length < spec.dims.length; level = level[0]) {
    if (!Array.isArray(level)) {
      const path = dims.map(() => 0);
      faults.push({ path, message: `a list, for ${shapeText(spec)}` });
      return undefined;
    }
    dims.push(level.length);
    // An empty axis ends what can be seen; the axes in it have the lengths that they must have.
    if (level.length === 0) {
      while (dims.length < spec.dims.length) {
        const dim = spec.dims[dims.length]!;
        dims.push(typeof dim === 'number' ? dim : 0);
      }
      break;
    }
  }
  for (const [axis, expected] of spec.dims.entries()) {
    if (typeof expected === 'string' || expected === dims[axis]) continue;
    const path = Array<number>(axis).fill(0);
    faults.push({ path, message: `a list of ${expected}` });
    return undefined;
  }
  return filled(value, spec, dims, faults);
}

function filled(
  value: unknown,
  { type }: TensorSpec,
  dims: readonly number[],
  faults: Fault[],
): Tensor | undefined {
  const size = elementCount(dims);
  const data = type === 'string' ? new Array<string>(size) : new dataClasses[type](size);
  const write = writerOf(type);
  const elements = data as unknown[];
  const path: number[] = [];
  let next = 0;
  const fill = (level: unknown, axis: number): boolean => {
    if (axis === dims.length) {
      const element = write(level);
      if (element === undefined) {
        faults.push({ path: [...path], message: nameOf(type) });
        return false;
      }
      elements[next++] = element;
      return true;
    }
    if (!Array.isArray(level) || level.length !== dims[axis]) {
      faults.push({ path: [...path], message: `a list of ${dims[axis]}, like the first` });
      return false;
    }
    for (let index = 0; index < level.length; index++) {
      path.push(index);
      if (!fill(level[index], axis + 1)) return false;
      path.pop();
    }
    return true;
  };
  if (!fill(value, 0)) return undefined;
  return new Tensor<TensorType>(type, data as never, dims);
}

/** Turns a JSON value into an element; undefined for what is none of the type. */
function writerOf(type: TensorType): (value: unknown) => unknown {
  switch (type) {
    case 'string':
      return (value) => (typeof value === 'string' ? value : undefined);
    case 'bool':
      return (value) => (typeof value === 'boolean' ? Number(value) : undefined);
    case 'int64':
    case 'uint64':
      return (value) =>
        Number.isSafeInteger(value) ? BigInt(value as number) : wholeText(value, type);
    case 'float32':
    case 'float64':
      return (value) => (typeof value === 'number' ? value : undefined);
    default: {
      const [least, most] = ranges[type] ?? [];
      if (least === undefined) return () => undefined;
      return (value) =>
        Number.isInteger(value) && (value as number) >= least && (value as number) <= most!
          ? value
          : undefined;
    }
  }
}

const ranges: Partial<Record<TensorType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

/** 64-bit integers beyond what a JSON number holds exactly come as text. */
function wholeText(value: unknown, type: 'int64' | 'uint64'): bigint | undefined {
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return undefined;
  const whole = BigInt(value);
  const wrapped = type === 'int64' ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole);
  return wrapped === whole ? whole : undefined;
}

function nameOf(type: TensorType): string {
  if (type === 'string') return 'a string';
  if (type === 'bool') return 'true or false';
  if (type.startsWith('float') || type === 'bfloat16') return 'a number';
  return `a whole number that fits ${type}`;
}
