import { CloudEasyMLError } from '../errors.js';
import { addon } from './addon.js';
import { checkWholeTensor, wrongNames } from './checks.js';
import { type Feeds, isNames, type RequestedOutputs } from './runner.js';
import { type Tensor, tensorOver } from './tensor.js';
import type { PlacedValue } from './valueInfo.js';

export interface AsyncRunOptions {
  /** The outputs to compute (all, where it is left out), or tensors whose memory takes them. */
  outputs?: RequestedOutputs;
  /** Stops the run, wherever it is, when it is aborted. */
  signal?: AbortSignal;
}

/**
 * The tensor's data in memory that stays while another thread reads it. The caller could transfer or
 * resize an ArrayBuffer meanwhile, so that is copied; a SharedArrayBuffer can't be taken away.
 */
function steadyData(tensor: Tensor): Tensor['data'] {
  const { data } = tensor;
  if (Array.isArray(data) || data.buffer instanceof SharedArrayBuffer) return data;
  return data.slice();
}

function inputData(inputs: readonly PlacedValue[], feeds: Feeds): [object, readonly number[]][] {
  const given = Object.keys(feeds);
  const known = inputs.map(({ name }) => name);
  if (given.length !== known.length || known.some((name) => feeds[name] === undefined)) {
    throw wrongNames('input', given, known);
  }
  return inputs.map((info) => {
    const tensor: unknown = feeds[info.name];
    checkWholeTensor(info, tensor);
    return [steadyData(tensor), tensor.dims];
  });
}

function selectOutputs(outputs: readonly PlacedValue[], wanted: readonly string[]): PlacedValue[] {
  return wanted.map((name) => {
    const info = outputs.find((output) => output.name === name);
    if (info) return info;
    throw wrongNames(
      'output',
      wanted,
      outputs.map((output) => output.name),
    );
  });
}

/** Copies a result to where its caller wants it, if that is still there. */
function deliver(info: PlacedValue, result: Tensor, target: Tensor): void {
  const same = result.dims.every((dim, axis) => dim === target.dims[axis]);
  if (!same || result.dims.length !== target.dims.length) {
    throw new CloudEasyMLError(
      'invalid_input',
      `Expected a tensor of [${result.dims}] to take the output "${info.name}" but received one of [${target.dims}].`,
      { path: info.name },
    );
  }
  checkWholeTensor(info, target);
  (target.data as Float64Array).set(result.data as Float64Array);
}

/**
 * Runs a session on another thread.
 *
 * @throws CloudEasyMLError invalid_input, runtime_failed, or cancelled where the signal was aborted
 */
export async function runAsync(
  handle: object,
  inputs: readonly PlacedValue[],
  outputs: readonly PlacedValue[],
  feeds: Feeds,
  options: AsyncRunOptions,
): Promise<Record<string, Tensor>> {
  const { signal } = options;
  const requested = options.outputs ?? outputs.map(({ name }) => name);
  const targets = isNames(requested) ? undefined : requested;
  const selected = selectOutputs(outputs, isNames(requested) ? requested : Object.keys(requested));
  if (targets) for (const info of selected) checkWholeTensor(info, targets[info.name]);
  const data = inputData(inputs, feeds);
  if (signal?.aborted) throw cancelled(signal);

  const places = selected.map(({ place }) => place);
  let stop = () => {};
  try {
    const results = await new Promise<[object, number[]][]>((resolve, reject) => {
      const number = addon.runAsync(handle, data, places, (error, outputs) => {
        if (error) reject(error);
        else resolve(outputs);
      });
      stop = () => addon.cancelRun(number);
      signal?.addEventListener('abort', stop, { once: true });
    });
    const tensors = selected.map((info, i) => tensorOver(info.type, ...results[i]!));
    if (targets) {
      for (const [i, info] of selected.entries()) deliver(info, tensors[i]!, targets[info.name]!);
      return targets;
    }
    return Object.fromEntries(selected.map(({ name }, i) => [name, tensors[i]!]));
  } catch (error) {
    const stopped = error instanceof CloudEasyMLError && error.code === 'cancelled';
    throw stopped && signal?.aborted ? cancelled(signal) : error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function cancelled(signal: AbortSignal): CloudEasyMLError {
  return new CloudEasyMLError('cancelled', 'The run was cancelled.', { cause: signal.reason });
}
