import { Tensor } from '../../engine/tensor.js';
import { Answer } from './definition.js';
import { areJoinable, joinTensors, rowsOf } from './joinedTensors.js';

/** Tensors of one request: one, or several by name. */
export type TensorData = Tensor | Readonly<Record<string, Tensor>>;

const only = '';

function named(data: TensorData): Readonly<Record<string, Tensor>> {
  return data instanceof Tensor ? { [only]: data } : data;
}

/** Rows of a request, by the first axis of its first tensor. */
function rowsIn(data: TensorData): number {
  return Object.values(named(data))[0]?.dims[0] ?? 0;
}

/** The data of several requests as one, or undefined where their shapes differ. */
export function joinRequests(requests: readonly TensorData[]): TensorData | undefined {
  const tensors = requests.map(named);
  const names = Object.keys(tensors[0]!);
  const joined: Record<string, Tensor> = {};
  for (const name of names) {
    const each = tensors.map((request) => request[name]!);
    const sameRows = each.every((tensor, index) => tensor.dims[0] === rowsIn(requests[index]!));
    if (!sameRows || !areJoinable(each)) return undefined;
    joined[name] = joinTensors(each);
  }
  return requests[0] instanceof Tensor ? joined[only] : joined;
}

/**
 * Gives each request its rows of an answer for all.
 *
 * @throws Error where an output does not have a row for each row of the input
 */
export function splitAnswer(answer: unknown, requests: readonly TensorData[]): unknown[] {
  const { predictions, metadata } = answer instanceof Answer ? answer : new Answer(answer, {});
  const counts = requests.map(rowsIn);
  const total = counts.reduce((sum, count) => sum + count, 0);
  let from = 0;
  return counts.map((count) => {
    const to = from + count;
    const own = cut(predictions, from, to, total, true);
    from = to;
    return answer instanceof Answer ? new Answer(own, metadata) : own;
  });
}

function cut(output: unknown, from: number, to: number, total: number, isTop: boolean): unknown {
  if (output instanceof Tensor && output.dims[0] === total) return rowsOf(output, from, to);
  if (Array.isArray(output) && output.length === total) return output.slice(from, to);
  const isRecord = typeof output === 'object' && output !== null && !Array.isArray(output);
  if (isTop && isRecord && !(output instanceof Tensor)) {
    return Object.fromEntries(
      Object.entries(output).map(([name, value]) => [name, cut(value, from, to, total, false)]),
    );
  }
  throw new Error(
    `With batch: 'joined' every output must have a row for each of the ${total} rows of its input.`,
  );
}
