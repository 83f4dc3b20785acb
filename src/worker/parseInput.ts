import type { Body } from '../engine/batchWorker.js';
import { isTensorType, type TensorType } from '../engine/elementTypes.js';
import { splitFrame, type TensorHeader } from '../engine/frames.js';
import type { Tensor } from '../engine/tensor.js';
import { takeTensor } from '../engine/tensorBytes.js';
import { InputError, type PredictionInput } from '../plugin/baseModel.js';
import { malformed, messageOf } from './describeFailure.js';
import { bytesInput, type ForeignBytes, type FormPart, formInput } from './foreignInput.js';

/** A request's body, read. */
export interface ParsedBody {
  input: PredictionInput;
  /** It asks for binary answers; a client that can't get any may ask, too. */
  asksForBinary: boolean;
}

/**
 * Reads a request's body: JSON, or a binary frame, whose tensors become `data` or members of it.
 *
 * @throws SyntaxError with {@link malformed} as its cause; InputError
 */
export function parseInput(body: Body): ParsedBody {
  const frame = typeof body === 'string' ? undefined : splitFrame(body);
  const parsed = parseJson(frame?.header ?? (body as string));
  if (frame && parsed.body) return bytesInput(parsed.body, frame.bytes);
  if (frame && parsed.parts) return formInput(parsed.parts, frame.bytes);
  const { options = {} } = parsed;
  if (!isObject(options)) throw new InputError('options', 'Expected an object.');
  const data = frame ? withTensors(parsed, frame.bytes) : parsed.data;
  return { input: { data, options }, asksForBinary: parsed.binary === true };
}

interface Parsed {
  data?: unknown;
  options?: unknown;
  binary?: unknown;
  tensors?: unknown;
  body?: ForeignBytes;
  parts?: FormPart[];
}

function parseJson(text: string): Parsed {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`The body is not valid JSON: ${messageOf(error)}`, { cause: malformed });
  }
}

function withTensors({ data, tensors = [] }: Parsed, bytes: Uint8Array): unknown {
  if (!Array.isArray(tensors)) {
    throw new InputError('tensors', 'Expected an array of objects with "name", "type" and "dims".');
  }
  let rest = bytes;
  const named: Record<string, Tensor> = {};
  let lone: Tensor | undefined;
  for (const [index, header] of tensors.entries()) {
    const at = `tensors[${index}]`;
    const { name, type, dims } = checkHeader(header, at);
    const taken = takeTensor(type, dims, rest);
    if (!taken) {
      const expected = `Expected the bytes of [${dims}] elements of type ${type} in the frame, but it has fewer.`;
      throw new InputError(at, expected);
    }
    rest = rest.subarray(taken.size);
    if (name !== undefined) {
      if (Object.hasOwn(named, name)) throw new InputError(`${at}.name`, 'Expected it once.');
      named[name] = taken.tensor;
    } else if (tensors.length === 1 && data === undefined) {
      lone = taken.tensor;
    } else {
      throw new InputError(
        `${at}.name`,
        'Expected a name: only a tensor without other data can do without.',
      );
    }
  }
  if (rest.byteLength > 0) {
    const text = `Expected the frame to end with the last tensor, but ${rest.byteLength} more bytes follow.`;
    throw new InputError('tensors', text);
  }
  if (lone) return lone;
  if (Object.keys(named).length === 0) return data;
  if (data === undefined) return named;
  if (!isObject(data)) throw new InputError('data', 'Expected an object beside named tensors.');
  return { ...data, ...named };
}

function checkHeader(
  header: unknown,
  at: string,
): { name: string | undefined; type: TensorType; dims: number[] } {
  if (!isObject(header)) {
    throw new InputError(at, 'Expected an object with "name", "type" and "dims".');
  }
  const { name, type, dims } = header as Partial<TensorHeader>;
  if (name !== undefined && (typeof name !== 'string' || name === '__proto__')) {
    throw new InputError(`${at}.name`, 'Expected a string.');
  }
  if (typeof type !== 'string' || !isTensorType(type)) {
    throw new InputError(`${at}.type`, 'Expected the type of the elements, such as "float32".');
  }
  const isLength = (dim: unknown) => Number.isSafeInteger(dim) && (dim as number) >= 0;
  if (!Array.isArray(dims) || !dims.every(isLength)) {
    const expected = 'Expected an array of whole numbers, one length per axis.';
    throw new InputError(`${at}.dims`, expected);
  }
  return { name, type, dims };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
