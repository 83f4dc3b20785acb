/** Zero crossings of the kernel on either side, and points of its table from one to the next. */
const crossings = 16;
const resolution = 512;

/** The Kaiser window's parameter: side lobes some 80 dB down. */
const beta = 8;

/** Where the pass band ends, as a part of the lower of the two rates' half; the rest is the filter's slope. */
const rolloff = 0.92;

let table: Float64Array | undefined;

/**
 * Brings audio to another rate: interpolation by a windowed sinc, which also takes out what the new
 * rate cannot hold (Smith, Digital Audio Resampling).
 *
 * @param samples at `from` samples per second
 * @returns the samples at `to` per second, in pieces of a second or less, each computed when it is taken
 */
export function* resample(
  samples: Float32Array,
  from: number,
  to: number,
): Generator<Float32Array> {
  if (from === to) {
    yield samples;
    return;
  }
  table ??= kernel();
  const length = Math.ceil((samples.length * to) / from);
  for (let start = 0; start < length; start += to) {
    const piece = new Float32Array(Math.min(to, length - start));
    for (let index = 0; index < piece.length; index++) {
      piece[index] = interpolate(table, samples, ((start + index) * from) / to, to / from);
    }
    yield piece;
  }
}

/** @param position where, in samples, between the first and the last */
function interpolate(
  kernel: Float64Array,
  samples: Float32Array,
  position: number,
  ratio: number,
): number {
  const scale = Math.min(1, ratio) * rolloff;
  const reach = crossings / scale;
  const first = Math.max(0, Math.ceil(position - reach));
  const last = Math.min(samples.length - 1, Math.floor(position + reach));
  let sum = 0;
  for (let index = first; index <= last; index++) {
    const place = Math.abs(index - position) * scale * resolution;
    const point = Math.floor(place);
    const value = kernel[point]!;
    sum += samples[index]! * (value + (kernel[point + 1]! - value) * (place - point));
  }
  return sum * scale;
}

/** Half of sinc times Kaiser window, from its middle, and a zero for the interpolation at the end. */
function kernel(): Float64Array {
  const half = new Float64Array(crossings * resolution + 2);
  half[0] = 1;
  for (let point = 1; point <= crossings * resolution; point++) {
    const x = Math.PI * (point / resolution);
    const place = point / (crossings * resolution);
    half[point] = ((Math.sin(x) / x) * bessel(beta * Math.sqrt(1 - place ** 2))) / bessel(beta);
  }
  return half;
}

/** The modified Bessel function of the first kind and order 0, by its series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
