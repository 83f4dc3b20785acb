import { InputError } from 'cloudeasyml';

/** A WAV file's sound. */
export interface Wav {
  /** Samples per second. */
  sampleRate: number;
  /** −1 to 1; the mean of all channels. */
  samples: Float32Array;
}

/** How a WAV file stores its samples. */
interface Format {
  encoding: number;
  channels: number;
  sampleRate: number;
  /** Of one sample. */
  bits: number;
}

const pcm = 1;
const float = 3;
/** The encoding stands further on, in an extension of the format chunk. */
const extensible = 0xfffe;

/** Programs that write to a pipe can't know the size of the data, and put in one of this or more. */
const unknownSize = 0x7ffff000;

const readers: Record<string, (view: DataView, offset: number) => number> = {
  [`${pcm}:16`]: (view, offset) => view.getInt16(offset, true) / 2 ** 15,
  [`${pcm}:24`]: (view, offset) =>
    (view.getInt16(offset + 1, true) * 2 ** 8 + view.getUint8(offset)) / 2 ** 23,
  [`${pcm}:32`]: (view, offset) => view.getInt32(offset, true) / 2 ** 31,
  [`${float}:32`]: (view, offset) => view.getFloat32(offset, true),
};

/**
 * Reads a WAV file: 16, 24 or 32 bit PCM or 32 bit float, of any number of channels.
 *
 * @param path of the file in the request, for errors
 * @throws InputError where it is no WAV file, damaged, or stored otherwise
 */
export function readWav(bytes: Uint8Array, path: string): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 12 || tag(view, 0) !== 'RIFF' || tag(view, 8) !== 'WAVE') {
    throw new InputError(
      path,
      `Expected a WAV file but received ${view.byteLength} bytes that do not begin like one.`,
    );
  }
  let format: Format | undefined;
  for (const { name, content, size } of chunks(view)) {
    if (name === 'fmt ') format = readFormat(content, path);
    if (name !== 'data') continue;
    if (!format) throw new InputError(path, 'The WAV file has no format chunk before its data.');
    if (size > content.byteLength && size < unknownSize) {
      throw new InputError(
        path,
        `The WAV file is cut off: its data should have ${size} bytes but there are ${content.byteLength}.`,
      );
    }
    return { sampleRate: format.sampleRate, samples: readSamples(content, format, path) };
  }
  throw new InputError(path, 'The WAV file has no data chunk.');
}

/** The file's chunks: `size` is what each claims, `content` what there is of it. */
function* chunks(view: DataView) {
  let offset = 12;
  while (offset + 8 <= view.byteLength) {
    const size = view.getUint32(offset + 4, true);
    const start = offset + 8;
    const length = Math.min(size, view.byteLength - start);
    const content = new DataView(view.buffer, view.byteOffset + start, length);
    yield { name: tag(view, offset), content, size };
    // Chunks begin at even places.
    offset = start + size + (size % 2);
  }
}

function readFormat(chunk: DataView, path: string): Format {
  if (chunk.byteLength < 16) throw new InputError(path, 'The WAV file’s format chunk is cut off.');
  const tagged = chunk.getUint16(0, true);
  const format = {
    encoding: tagged === extensible && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : tagged,
    channels: chunk.getUint16(2, true),
    sampleRate: chunk.getUint32(4, true),
    bits: chunk.getUint16(14, true),
  };
  if (!Object.hasOwn(readers, `${format.encoding}:${format.bits}`)) {
    throw new InputError(
      path,
      'Expected a WAV file of 16, 24 or 32 bit PCM or 32 bit float but received one of ' +
        `encoding ${format.encoding} with ${format.bits} bits.`,
    );
  }
  if (format.channels === 0) throw new InputError(path, 'The WAV file has no channels.');
  return format;
}

function readSamples(data: DataView, format: Format, path: string): Float32Array {
  const { encoding, channels, bits } = format;
  const read = readers[`${encoding}:${bits}`]!;
  const width = bits / 8;
  const samples = new Float32Array(Math.floor(data.byteLength / (channels * width)));
  let offset = 0;
  for (let index = 0; index < samples.length; index++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, offset += width) sum += read(data, offset);
    if (!Number.isFinite(sum)) {
      throw new InputError(path, `Sample ${index} of the WAV file is not a finite number.`);
    }
    samples[index] = sum / channels;
  }
  return samples;
}

function tag(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(offset + index)));
}
