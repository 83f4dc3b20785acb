import { type NumericData, type TensorType, typeOfArray } from '../engine/elementTypes.js';
import { joinFrame } from '../engine/frames.js';
import { Tensor } from '../engine/tensor.js';
import { bytesOf } from '../engine/tensorBytes.js';
import type { PartialPredictionOutput } from '../plugin/baseModel.js';

/** A plugin's output, as its client gets it: JSON, or a binary frame's bytes. */
export type Answer = string | Uint8Array;

/**
 * A plugin's output as a whole answer.
 *
 * @param elapsedMs used where the plugin did not measure by itself
 * @throws Error where the plugin returned what is no output, or JSON cannot show it
 */
export function wholeAnswer(
  output: PartialPredictionOutput,
  elapsedMs: number,
  binary: boolean,
): { answer: Answer; processingTimeMs: number } {
  checkOutput(output);
  const given = output.processingTimeMs;
  const measured = typeof given === 'number' && Number.isFinite(given) ? given : elapsedMs;
  const processingTimeMs = roundMs(measured);
  return { answer: encode(output, binary, processingTimeMs), processingTimeMs };
}

/**
 * One of a stream's outputs as what its client gets.
 *
 * @throws Error likewise
 */
export function streamedAnswer(output: PartialPredictionOutput, binary: boolean): Answer {
  checkOutput(output);
  return encode(output, binary);
}

/** Rounds to microseconds. */
export function roundMs(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

function checkOutput(output: PartialPredictionOutput): void {
  if (typeof output !== 'object' || output === null || output.predictions === undefined) {
    throw new Error('The plugin must return an object with "predictions"; it returned none.');
  }
}

function encode(
  { predictions, metadata = {} }: PartialPredictionOutput,
  binary: boolean,
  processingTimeMs?: number,
): Answer {
  const time = processingTimeMs === undefined ? '' : `,"processingTimeMs":${processingTimeMs}`;
  const end = `"metadata":${toJson(metadata)}${time}}`;
  if (!binary) return `{"predictions":${toJson(predictions)},${end}`;
  const { tensors, rest } = splitTensors(predictions);
  const described = tensors.map(([name, { type, dims }]) => ({ name, type, dims }));
  const shown = rest === undefined ? '' : `"predictions":${toJson(rest)},`;
  return joinFrame(
    `{"tensors":${JSON.stringify(described)},${shown}${end}`,
    tensors.map(([, tensor]) => bytesOf(tensor)),
  );
}

/** Splits predictions into named tensors, which are sent as bytes, and the rest, which is sent as JSON. */
function splitTensors(predictions: unknown): {
  tensors: [name: string | undefined, tensor: Tensor][];
  rest: unknown;
} {
  const whole = asTensor(predictions);
  if (whole) return { tensors: [[undefined, whole]], rest: undefined };
  if (typeof predictions !== 'object' || predictions === null || Array.isArray(predictions)) {
    return { tensors: [], rest: predictions };
  }
  const tensors: [string, Tensor][] = [];
  const others: [string, unknown][] = [];
  for (const [name, value] of Object.entries(predictions)) {
    const tensor = asTensor(value);
    if (tensor) tensors.push([name, tensor]);
    else others.push([name, value]);
  }
  return {
    tensors,
    rest: others.length > 0 || tensors.length === 0 ? Object.fromEntries(others) : undefined,
  };
}

function asTensor(value: unknown): Tensor | undefined {
  if (value instanceof Tensor) return value;
  const type = typeOfArray(value);
  return type && new Tensor<TensorType>(type, value as NumericData);
}

function toJson(value: unknown): string {
  const text = holdsViews(value) ? JSON.stringify(value, viewsAsArrays) : JSON.stringify(value);
  if (text === undefined) throw new Error(`JSON cannot show a ${typeof value}.`);
  return text;
}

/** How deep typed arrays are looked for: a circle has no end, and JSON.stringify tells of it better. */
const viewDepth = 32;

/** Whether a typed array is in there. A replacer makes JSON.stringify several times slower. */
function holdsViews(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint';
  if (ArrayBuffer.isView(value)) return true;
  if (depth === viewDepth) return false;
  const inside = Array.isArray(value) ? value : Object.values(value);
  // Long arrays hold values of one kind.
  const looked = inside.length > 100 && inside === value ? [inside[0]] : inside;
  return looked.some((each) => holdsViews(each, depth + 1));
}

/** A replacer. It finds a tensor turned into arrays already, by the tensor's own toJSON(). */
function viewsAsArrays(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return exactNumber(value);
  const given = this[key];
  if (given instanceof Tensor && given.type === 'float32') return shortestWithin(value);
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return value;
  if (value instanceof Float32Array) return Array.from(value, shortest);
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) {
    return Array.from(value, exactNumber);
  }
  return Array.from(value as Uint8Array);
}

function shortestWithin(nested: unknown): unknown {
  return Array.isArray(nested) ? nested.map(shortestWithin) : shortest(nested as number);
}

/** The double with the fewest digits that is the same float32: 0.1 rather than 0.10000000149011612. */
function shortest(float: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(float.toPrecision(digits));
    if (Math.fround(candidate) === float) return candidate;
  }
  return Number(float.toPrecision(9));
}

function exactNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
