import { CloudEasyMLError } from '../errors.js';
import type { OpenedSession } from './addon.js';
import { isTensorType, type TensorType } from './elementTypes.js';

/** An input or an output that a model declares. */
export interface ValueInfo {
  readonly name: string;
  readonly type: TensorType;
  /** One entry per axis: its length, the name of a length that varies ("batch"), or null for neither. */
  readonly dims: readonly (number | string | null)[];
}

/** A declared value with its place among the model's inputs or outputs. */
export interface PlacedValue extends ValueInfo {
  readonly place: number;
}

/** @throws CloudEasyMLError model_load_failed where an input is none that the engine carries */
export function inputsOf(opened: OpenedSession): PlacedValue[] {
  return opened.inputs.map(({ name, type, dims }, place) => {
    if (isTensorType(type)) return { name, type, dims, place };
    throw new CloudEasyMLError(
      'model_load_failed',
      `The model's input "${name}" is of the type ${type}, which the engine does not carry.`,
    );
  });
}

/** Outputs that are no tensors, such as the sequences of maps that some exporters add, are left out. */
export function outputsOf(opened: OpenedSession): PlacedValue[] {
  return opened.outputs.flatMap(({ name, type, dims }, place) =>
    isTensorType(type) ? [{ name, type, dims, place }] : [],
  );
}

/** "float32 [batch, 4]" */
export function describeInfo(info: ValueInfo): string {
  return `${info.type} [${info.dims.map((dim) => dim ?? '?').join(', ')}]`;
}
