import { CloudEasyMLError } from '../errors.js';
import { addon, type NativeIoBinding } from './addon.js';
import { checkFit, checkTensor, checkWholeTensor, wrongNames } from './checks.js';
import type { TensorType } from './elementTypes.js';
import { runScope } from './runScope.js';
import type { InferenceSession } from './session.js';
import { elementCount, Tensor, tensorOver } from './tensor.js';
import type { PlacedValue } from './valueInfo.js';

/**
 * Where a run leaves an output: in the CPU's memory; in memory of the CPU's that the device copies to
 * fastest ("pinned"), ordinary memory where there is none; or where it was computed ("device"), which is
 * the CPU's memory for an output that the CPU computes. `DeviceTensor.location` says where it really lies.
 */
export type OutputLocation = 'cpu' | 'pinned' | 'device';

/**
 * A tensor that stays in a device's memory, made by a run whose output was bound to 'device'. It can be
 * bound as an input of the same or another session, which then copies nothing.
 */
export class DeviceTensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  /** How many elements it has. */
  readonly size: number;
  /** Whose memory it lies in: "cuda", "webgpu", or "cpu" for an output that the CPU computed. */
  readonly location: string;
  /** What the addon knows the tensor by. */
  readonly handle: object;

  /** @internal */
  constructor(type: TensorType, dims: readonly number[], location: string, handle: object) {
    this.type = type;
    this.dims = dims;
    this.size = elementCount(dims);
    this.location = location;
    this.handle = handle;
  }
}

/**
 * Inputs and outputs that are bound once and used by many runs, wherever they lie. Worth it where tensors
 * go from run to run on a device; `InferenceSession.run` is all that others need.
 *
 * @example
 * const binding = new IoBinding(session).bindInput('state', state).bindOutput('next', 'device');
 * for (const sample of samples) {
 *   const { next } = binding.bindInput('sample', sample).run();
 *   binding.bindInput('state', next);
 * }
 */
export class IoBinding {
  readonly #native: NativeIoBinding;
  readonly #inputs: readonly PlacedValue[];
  readonly #outputs: readonly PlacedValue[];
  readonly #bound = new Map<PlacedValue, Tensor | DeviceTensor>();
  readonly #targets = new Map<PlacedValue, Tensor | OutputLocation>();

  constructor(session: InferenceSession) {
    this.#native = addon.createIoBinding(session.handle);
    this.#inputs = session.placedInputs;
    this.#outputs = session.placedOutputs;
  }

  /**
   * Gives an input its tensor for this and later runs. A Tensor's data is read anew at each run.
   *
   * @throws CloudEasyMLError invalid_input with the input's name as its path
   */
  bindInput(name: string, tensor: Tensor | DeviceTensor): this {
    const info = this.#find('input', this.#inputs, name);
    if (tensor instanceof DeviceTensor) checkFit(info, tensor);
    else checkTensor(info, tensor);
    this.#bound.set(info, tensor);
    return this;
  }

  /** Has runs compute an output, into a tensor or into new memory at a location. */
  bindOutput(name: string, target: Tensor | OutputLocation = 'cpu'): this {
    const info = this.#find('output', this.#outputs, name);
    if (typeof target !== 'string') checkTensor(info, target);
    this.#targets.set(info, target);
    return this;
  }

  /**
   * Runs the model on the calling thread.
   *
   * @returns the bound outputs by name, a DeviceTensor where one was bound to 'device'
   */
  run(): Record<string, Tensor | DeviceTensor> {
    for (const info of this.#inputs) this.#placeInput(info);
    // An output's memory would serve the next run as well, under the tensors that this one gives out.
    this.#native.clearOutputs();
    for (const [info, target] of this.#targets) this.#placeOutput(info, target);
    const scope = runScope();
    scope?.enter();
    try {
      this.#native.run();
    } finally {
      scope?.leave();
    }

    const targets = [...this.#targets];
    const taken = this.#native.takeOutputs(targets.map(([, target]) => target === 'device'));
    return Object.fromEntries(
      targets.map(([info, target], i) => {
        if (target instanceof Tensor) return [info.name, target];
        const [value, dims, location] = taken[i]!;
        return [
          info.name,
          target === 'device'
            ? new DeviceTensor(info.type, dims, location, value)
            : tensorOver(info.type, value, dims),
        ];
      }),
    );
  }

  #find(kind: 'input' | 'output', infos: readonly PlacedValue[], name: string): PlacedValue {
    const info = infos.find((known) => known.name === name);
    if (info) return info;
    throw wrongNames(
      kind,
      [name],
      infos.map((known) => known.name),
    );
  }

  #placeInput(info: PlacedValue): void {
    const tensor = this.#bound.get(info);
    if (tensor instanceof DeviceTensor) {
      this.#native.bindDeviceInput(info.place, tensor.handle);
    } else if (tensor) {
      checkWholeTensor(info, tensor);
      this.#native.bindInput(info.place, tensor.data, tensor.dims);
    } else {
      throw new CloudEasyMLError('invalid_input', `The input "${info.name}" is missing.`, {
        path: info.name,
      });
    }
  }

  #placeOutput(info: PlacedValue, target: Tensor | OutputLocation): void {
    if (typeof target === 'string') {
      this.#native.bindOutputTo(info.place, target);
    } else {
      checkWholeTensor(info, target);
      this.#native.bindOutput(info.place, target.data, target.dims);
    }
  }
}
