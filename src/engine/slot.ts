import { SharedFrame, TensorPlace } from '../generated/constants.js';
import { frame, type NativeRunner } from './addon.js';
import { checkTensor, wrongMemory } from './checks.js';
import { dataClasses, type NumericData, type NumericDataClass } from './elementTypes.js';
import { elementCount, type Tensor } from './tensor.js';
import type { PlacedValue } from './valueInfo.js';

/** The shapes that one call is about, and what it reports. */
export const header = new Float64Array(frame, 0, SharedFrame.headerNumbers);
export const { smallTensorBytes } = SharedFrame;
const { alignment } = SharedFrame;
const { elsewhere } = TensorPlace;
const noData = new Uint8Array(0);

/** Below this a loop copies faster than a call of set(). */
const loopedElements = 16;

export function copyElements(from: NumericData, to: NumericData): void {
  const length = from.length;
  if (length > loopedElements) {
    (to as Float64Array).set(from as Float64Array);
  } else {
    for (let i = 0; i < length; i++) to[i] = from[i]!;
  }
}

/** Tells the addon of the shape that the next call is about. */
export function sendDims(dims: readonly number[]): void {
  for (let axis = 0; axis < dims.length; axis++) header[axis] = dims[axis]!;
}

/** One input, or one requested output: the caller's tensor, and what the addon has bound for it. */
export class Slot {
  readonly info: PlacedValue;
  /** The caller's tensor, for the length of a call. */
  tensor: Tensor | undefined;
  readonly #index: number;
  readonly #bind: NativeRunner['bindInput'];
  readonly #wrap: NativeRunner['wrapInput'];
  /** Undefined for strings, which never lie in the frame. */
  readonly #dataClass: NumericDataClass | undefined;
  // Where the frame holds the bound tensor, or which array is wrapped, and its shape.
  /**
   * The number under which each array was wrapped; the one with the last number still is. A WeakRef would
   * keep every array until the event loop turns.
   */
  readonly #wraps = new WeakMap<object, number>();
  #lastWrap = 0;
  #offset: number = elsewhere;
  #end = 0;
  #dims: readonly number[] = [];
  #length = 0;
  #view: NumericData = noData;

  /** `bind` and `wrap` are the addon's for inputs or for outputs, `index` the slot's number there. */
  constructor(
    info: PlacedValue,
    index: number,
    bind: NativeRunner['bindInput'],
    wrap: NativeRunner['wrapInput'],
  ) {
    this.info = info;
    this.#index = index;
    this.#bind = bind;
    this.#wrap = wrap;
    this.#dataClass = info.type === 'string' ? undefined : dataClasses[info.type];
  }

  /**
   * Has the next run use the tensor: in the frame at `offset` where it is small, else where it lies.
   *
   * @returns where the next slot's tensor may begin
   */
  place(offset: number): number {
    const { data, dims } = this.tensor!;
    const inFrame = this.#offset === offset;
    // An array never moves while it has a length, so one that is still wrapped needs no more.
    if ((inFrame || this.#wraps.get(data) === this.#lastWrap) && this.#hasShape(dims)) {
      if (data.length !== this.#length) this.#refuseMemory(this.#length);
      return inFrame ? this.#end : offset;
    }
    checkTensor(this.info, this.tensor);
    const length = elementCount(dims);
    if (data.length !== length) this.#refuseMemory(length);
    sendDims(dims);

    const dataClass = this.#dataClass;
    const bytes = dataClass ? length * dataClass.BYTES_PER_ELEMENT : Number.POSITIVE_INFINITY;
    if (bytes > smallTensorBytes || offset + bytes > frame.byteLength) {
      this.#offset = elsewhere;
      this.#lastWrap++;
      this.#wrap(this.#index, data, dims.length);
      // Strings are copied, so they must be looked at each time.
      if (dataClass) this.#wraps.set(data, this.#lastWrap);
      this.#dims = dims.slice();
      this.#length = length;
      return offset;
    }
    this.#bind(this.#index, offset, dims.length);
    this.#lastWrap++;
    this.#offset = offset;
    this.#end = (offset + bytes + alignment - 1) & -alignment;
    this.#dims = dims.slice();
    this.#length = length;
    this.#view = new dataClass!(frame, offset, length);
    return this.#end;
  }

  /** Of the tensor that was placed last. */
  get dims(): readonly number[] {
    return this.#dims;
  }

  /** Copies the tensor into the frame, where it lies there. */
  send(): void {
    if (this.#offset !== elsewhere) copyElements(this.tensor!.data as NumericData, this.#view);
  }

  /** The other way round. */
  receive(): void {
    if (this.#offset !== elsewhere) copyElements(this.#view, this.tensor!.data as NumericData);
  }

  #hasShape(dims: readonly number[]): boolean {
    if (this.#dims.length !== dims.length) return false;
    for (let axis = 0; axis < dims.length; axis++) {
      if (this.#dims[axis] !== dims[axis]) return false;
    }
    return true;
  }

  #refuseMemory(expected: number): never {
    throw wrongMemory(this.info.name, expected, this.tensor!.data.length);
  }
}
