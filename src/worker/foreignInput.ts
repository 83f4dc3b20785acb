/** Inputs of requests whose bodies are other than JSON, which the front end put into binary frames. */
import { InputError } from '../plugin/baseModel.js';
import type { ParsedBody } from './parseInput.js';

/** A body of bytes, in a frame's header. */
export interface ForeignBytes {
  /** Its media type: `image/png`. */
  type: string;
}

/** A part of a form, in a frame's header; the parts' bytes follow in their order. */
export interface FormPart {
  name: string;
  type?: string;
  filename?: string;
  size: number;
}

/** A body of bytes is the data. */
export function bytesInput({ type }: ForeignBytes, bytes: Uint8Array): ParsedBody {
  return { input: { data: bytes, options: {}, contentType: type }, asksForBinary: false };
}

/**
 * The parts of a form are members of the data, but for one named "options".
 *
 * @throws InputError
 */
export function formInput(parts: readonly FormPart[], bytes: Uint8Array): ParsedBody {
  const data: Record<string, unknown> = {};
  let options: unknown = {};
  let at = 0;
  for (const part of parts) {
    const value = partValue(part, bytes.subarray(at, at + part.size));
    at += part.size;
    if (part.name === 'options') options = asJson(part.name, value);
    else if (part.name !== '__proto__') data[part.name] = joined(data[part.name], value);
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InputError('options', 'Expected an object.');
  }
  return {
    input: {
      data,
      options: options as Record<string, unknown>,
      contentType: 'multipart/form-data',
    },
    asksForBinary: false,
  };
}

/** A file's bytes, or a field's text. */
function partValue({ name, type, filename }: FormPart, bytes: Uint8Array): unknown {
  if (type === 'application/json') return asJson(name, textOf(bytes));
  const isText = filename === undefined && (type === undefined || type.startsWith('text/'));
  return isText ? textOf(bytes) : bytes;
}

/** Parts of one name make a list. */
function joined(before: unknown, value: unknown): unknown {
  if (before === undefined) return value;
  return Array.isArray(before) ? [...before, value] : [before, value];
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function asJson(name: string, text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : text;
  } catch {
    throw new InputError(name, 'Expected JSON.');
  }
}
