import { dataClasses, type NumericData, type TensorType } from '../../engine/elementTypes.js';
import { Tensor } from '../../engine/tensor.js';

/** Elements of one row. */
function rowSize(dims: readonly number[]): number {
  return dims.slice(1).reduce((size, dim) => size * dim, 1);
}

/** Whether tensors can be joined along their first axis. */
export function areJoinable(tensors: readonly Tensor[]): boolean {
  const [first] = tensors;
  return tensors.every(
    ({ type, dims }) =>
      type === first!.type &&
      dims.length === first!.dims.length &&
      dims.length > 0 &&
      dims.slice(1).every((dim, axis) => dim === first!.dims[axis + 1]),
  );
}

/** Joins tensors along their first axis. */
export function joinTensors(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (tensors.length === 1) return first!;
  const { type, dims } = first!;
  const rows = tensors.reduce((sum, { dims: [count] }) => sum + count!, 0);
  const joined = [rows, ...dims.slice(1)];
  if (type === 'string') {
    return new Tensor(
      'string',
      tensors.flatMap(({ data }) => data as string[]),
      joined,
    );
  }
  const data = new dataClasses[type](rows * rowSize(dims));
  let at = 0;
  for (const { data: part } of tensors) {
    (data as Float32Array).set(part as Float32Array, at);
    at += part.length;
  }
  return new Tensor<TensorType>(type, data, joined);
}

/** Rows `from` up to `to` of a tensor, as a view of its elements. */
export function rowsOf({ type, data, dims }: Tensor, from: number, to: number): Tensor {
  const size = rowSize(dims);
  const rows =
    type === 'string'
      ? (data as string[]).slice(from * size, to * size)
      : (data as NumericData).subarray(from * size, to * size);
  return new Tensor<TensorType>(type, rows as never, [to - from, ...dims.slice(1)]);
}
