import { CloudEasyMLError } from '../errors.js';
import { OutputMemory, TensorPlace } from '../generated/constants.js';
import { frame, type NativeRunner } from './addon.js';
import { checkTensor, wrongNames } from './checks.js';
import { dataClasses } from './elementTypes.js';
import { declaredOutputDims, dimsFor, type OutputDims } from './outputDims.js';
import { copyElements, header, Slot, sendDims, smallTensorBytes } from './slot.js';
import { Tensor } from './tensor.js';
import type { PlacedValue } from './valueInfo.js';

export type Feeds = Readonly<Record<string, Tensor>>;
/** Which outputs to compute, by name; or where to, by tensors whose memory takes them. */
export type RequestedOutputs = readonly string[] | Record<string, Tensor>;

/** Below this, memory is got faster with zeros. */
const zeroedBytes = 1 << 20;

function unwrittenMemory(bytes: number): ArrayBufferLike {
  return bytes < zeroedBytes ? new ArrayBuffer(bytes) : Buffer.allocUnsafeSlow(bytes).buffer;
}

export function isNames(outputs: RequestedOutputs): outputs is readonly string[] {
  return Array.isArray(outputs);
}

/**
 * Runs one session on this thread.
 *
 * Small tensors are copied through the frame, where their shape and place are remembered from call to
 * call, so that a call in a loop crosses into native code once. Large ones are wrapped where they lie.
 */
export class Runner {
  readonly #native: NativeRunner;
  readonly #inputs: readonly Slot[];
  readonly #inputNames: readonly string[];
  readonly #outputs: readonly PlacedValue[];
  readonly #outputNames: readonly string[];
  /** The outputs that the next run computes. */
  #selected: readonly Slot[] = [];
  /** Whether they are bound to the caller's tensors. */
  #owned = false;
  /** How the selected outputs' dims follow from the inputs', as far as the model says. */
  #outputDims: readonly (OutputDims | undefined)[] = [];
  /** Whether the model's outputs have the shapes that it declares. */
  #isTruthful = true;
  readonly #lendsMemory: boolean;
  /** Outputs are bound to memory that is lent for one run. It stays set where the code was interrupted. */
  #isLending = false;

  /** @param lendsMemory whether outputs are written fastest to JavaScript's own memory */
  constructor(
    native: NativeRunner,
    inputs: readonly PlacedValue[],
    outputs: readonly PlacedValue[],
    lendsMemory: boolean,
  ) {
    this.#native = native;
    this.#lendsMemory = lendsMemory;
    this.#inputs = inputs.map(
      (info) => new Slot(info, info.place, native.bindInput, native.wrapInput),
    );
    this.#inputNames = inputs.map(({ name }) => name);
    this.#outputs = outputs;
    this.#outputNames = outputs.map(({ name }) => name);
  }

  run(feeds: Feeds, outputs: RequestedOutputs | undefined): Record<string, Tensor> {
    // Getters and proxies among the caller's objects may run models too: they come before the frame is
    // written to.
    this.#takeInputs(feeds);
    if (outputs === undefined || isNames(outputs)) {
      this.#select(outputs ?? this.#outputNames, false);
      this.#sendInputs();
      return this.#results(this.#runAllocating());
    }
    this.#takeOutputs(outputs);
    let offset = this.#sendInputs();
    for (const slot of this.#selected) offset = slot.place(offset);
    this.#native.run();
    for (const slot of this.#selected) {
      slot.receive();
      slot.tensor = undefined;
    }
    return outputs;
  }

  close(): void {
    this.#native.close();
  }

  #takeInputs(feeds: Feeds): void {
    let given = 0;
    for (const _ in feeds) given++;
    let found = 0;
    for (const slot of this.#inputs) {
      const tensor = feeds[slot.info.name];
      if (tensor === undefined) break;
      if (!(tensor instanceof Tensor) || tensor.type !== slot.info.type) {
        checkTensor(slot.info, tensor);
      }
      slot.tensor = tensor;
      found++;
    }
    if (found !== this.#inputs.length || given !== found) {
      throw wrongNames('input', Object.keys(feeds), this.#inputNames);
    }
  }

  #sendInputs(): number {
    let offset = header.byteLength;
    for (const slot of this.#inputs) {
      offset = slot.place(offset);
      slot.send();
      slot.tensor = undefined;
    }
    return offset;
  }

  #takeOutputs(outputs: Record<string, Tensor>): void {
    let matched = 0;
    for (const name in outputs) {
      if (this.#selected[matched]?.info.name !== name) {
        matched = -1;
        break;
      }
      matched++;
    }
    if (!this.#owned || matched !== this.#selected.length) this.#select(Object.keys(outputs), true);
    for (const slot of this.#selected) {
      const tensor = outputs[slot.info.name];
      if (!(tensor instanceof Tensor) || tensor.type !== slot.info.type) {
        checkTensor(slot.info, tensor);
      }
      slot.tensor = tensor;
    }
  }

  #isSelected(names: readonly string[]): boolean {
    if (this.#selected.length !== names.length) return false;
    for (let i = 0; i < names.length; i++) {
      if (this.#selected[i]!.info.name !== names[i]) return false;
    }
    return true;
  }

  #select(names: readonly string[], owned: boolean): void {
    if (owned === this.#owned && this.#isSelected(names)) return;
    const selected = names.map((name, index) => {
      const info = this.#outputs.find((output) => output.name === name);
      if (!info) throw wrongNames('output', names, this.#outputNames);
      return new Slot(info, index, this.#native.bindOutput, this.#native.wrapOutput);
    });
    this.#native.select(selected.map(({ info }) => info.place));
    this.#selected = selected;
    this.#owned = owned;
    const inputs = this.#inputs.map(({ info }) => info);
    this.#outputDims = selected.map(({ info }) =>
      this.#lendsMemory && !owned ? declaredOutputDims(info, inputs) : undefined,
    );
  }

  /**
   * Runs with JavaScript's memory for the outputs whose size is known before. V8 frees that as soon as it is
   * unreachable, while ONNX Runtime's memory waits for the event loop to turn.
   *
   * @returns the outputs that lie in lent memory, by their place in the selection
   */
  #runAllocating(): readonly (Tensor | undefined)[] {
    if (this.#isLending) this.#unbindOutputs();
    const lent = this.#isTruthful ? this.#selected.map((_, index) => this.#allocate(index)) : [];
    if (!lent.some(Boolean)) {
      this.#native.run();
      return lent;
    }
    this.#isLending = true;
    try {
      for (const [index, tensor] of lent.entries()) {
        if (!tensor) continue;
        sendDims(tensor.dims);
        this.#native.lendOutput(index, tensor.data, tensor.dims.length);
      }
      this.#native.run();
      this.#isLending = false;
      return lent;
    } catch (error) {
      this.#unbindOutputs();
      if (error instanceof CloudEasyMLError && error.code === 'cancelled') throw error;
    }
    // Either the run fails with any memory, or the outputs are not of the shapes that the model declares.
    this.#native.run();
    this.#isTruthful = false;
    return [];
  }

  #unbindOutputs(): void {
    this.#native.select(this.#selected.map(({ info }) => info.place));
    this.#isLending = false;
  }

  /** A tensor for an output whose size is known before the run, and neither small nor very large. */
  #allocate(index: number): Tensor | undefined {
    const sources = this.#outputDims[index];
    const { type } = this.#selected[index]!.info;
    if (!sources || type === 'string') return undefined;
    const DataClass = dataClasses[type];
    const dims = dimsFor(sources, this.#inputs);
    const size = dims.reduce((product, dim) => product * dim, 1);
    const bytes = size * DataClass.BYTES_PER_ELEMENT;
    if (bytes <= smallTensorBytes || bytes > OutputMemory.reusableBytes) return undefined;
    return new Tensor(type, new DataClass(unwrittenMemory(bytes)), dims);
  }

  /** Reads what the addon reports of the outputs that were not in `lent` memory. */
  #results(lent: readonly (Tensor | undefined)[]): Record<string, Tensor> {
    const results: Record<string, Tensor> = {};
    let next = 0;
    // Taking an output may collect garbage, but it never writes to the header.
    for (let index = 0; index < this.#selected.length; index++) {
      const { name, type } = this.#selected[index]!.info;
      const tensor = lent[index];
      if (tensor) {
        results[name] = tensor;
        continue;
      }
      const offset = header[next++]!;
      const rank = header[next++]!;
      const dims: number[] = [];
      let size = 1;
      for (let axis = 0; axis < rank; axis++) {
        const dim = header[next++]!;
        dims.push(dim);
        size *= dim;
      }
      results[name] = new Tensor(type, this.#data(type, index, offset, size), dims);
    }
    return results;
  }

  #data(type: Tensor['type'], index: number, offset: number, size: number): Tensor['data'] {
    if (type === 'string') return this.#native.take(index) as string[];
    const DataClass = dataClasses[type];
    if (offset === TensorPlace.elsewhere)
      return new DataClass(this.#native.take(index) as ArrayBuffer);
    const data = new DataClass(size);
    copyElements(new DataClass(frame, offset, size), data);
    return data;
  }
}
