import type { PlacedValue } from './valueInfo.js';

/** Where an axis's length comes from: the model itself, or an axis of an input's tensor. */
type AxisSource = number | { input: number; axis: number };

/** How an output's dims follow from the inputs'. */
export type OutputDims = readonly AxisSource[];

/**
 * Reads off a model's declared shapes how an output's dims follow from the inputs'.
 *
 * @returns undefined where they don't: an axis has no name, or one that no input's axis has
 */
export function declaredOutputDims(
  output: PlacedValue,
  inputs: readonly PlacedValue[],
): OutputDims | undefined {
  const sources: AxisSource[] = [];
  for (const dim of output.dims) {
    const source = typeof dim === 'number' ? dim : dim === null ? undefined : findAxis(dim, inputs);
    if (source === undefined) return undefined;
    sources.push(source);
  }
  return sources;
}

function findAxis(name: string, inputs: readonly PlacedValue[]): AxisSource | undefined {
  for (const [input, { dims }] of inputs.entries()) {
    const axis = dims.indexOf(name);
    if (axis >= 0) return { input, axis };
  }
  return undefined;
}

/** An output's dims for inputs of these. */
export function dimsFor(
  sources: OutputDims,
  inputs: readonly { readonly dims: readonly number[] }[],
): number[] {
  return sources.map((source) =>
    typeof source === 'number' ? source : inputs[source.input]!.dims[source.axis]!,
  );
}
