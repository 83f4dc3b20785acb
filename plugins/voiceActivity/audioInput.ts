import { InputError, Tensor } from 'cloudeasyml';
import { resample } from './resample.js';
import type { SampleRate } from './silero.js';
import { readWav } from './wav.js';

/** Rates that a WAV file may have: below there is too little of a voice to tell it. */
const rates = { lowest: 8000, highest: 192_000 };

/** A request's whole audio. */
export interface Recording {
  sampleRate: SampleRate;
  /** Seconds, to the millisecond. */
  duration: number;
  /** −1 to 1; made when they are taken. */
  pieces: Iterable<Float32Array>;
}

/** A piece of a stream's audio. */
export interface Piece {
  sampleRate: SampleRate;
  /** −1 to 1. */
  samples: Float32Array;
}

/**
 * Reads the `data` of a request: a WAV file's bytes; `{wav}`, such bytes or their base64; or
 * `{audio, sampleRate}`, as a stream takes it.
 *
 * @param maxSeconds that it may last
 * @throws InputError with the path of what is wrong
 */
export function readRecording(data: unknown, maxSeconds: number): Recording {
  if (data instanceof Uint8Array) return readRecording({ wav: data }, maxSeconds);
  const { wav, audio, sampleRate: rate } = fieldsOf(data);
  if ((wav === undefined) === (audio === undefined)) {
    const received = wav === undefined ? 'neither' : 'both';
    throw new InputError('data', `Expected {wav} or {audio, sampleRate} but received ${received}.`);
  }
  if (wav === undefined) {
    const sampleRate = readRate(rate);
    const samples = readSamples(audio, 'data.audio');
    const duration = secondsOf(samples, sampleRate);
    refuseLonger(duration, maxSeconds, 'data.audio');
    return { sampleRate, duration, pieces: [samples] };
  }
  const { samples, sampleRate: from } = readWav(
    wav instanceof Uint8Array ? wav : readBase64(wav, 'data.wav'),
    'data.wav',
  );
  if (from < rates.lowest || from > rates.highest) {
    throw new InputError(
      'data.wav',
      `Expected a WAV file of ${rates.lowest} to ${rates.highest} samples per second but received one of ${from}.`,
    );
  }
  const sampleRate = from === 8000 ? 8000 : 16000;
  const duration = secondsOf(samples, from);
  refuseLonger(duration, maxSeconds, 'data.wav');
  return { sampleRate, duration, pieces: resample(samples, from, sampleRate) };
}

/** Reads the inputs of one stream, of which the first says the rate. */
export class StreamReader {
  #sampleRate: SampleRate | undefined;

  /**
   * @param data `{audio, sampleRate}`: 16-bit little-endian mono PCM in base64, or an int16 or float32
   * tensor. Either may be left out, `sampleRate` only once it is known; a tensor may also stand alone
   * @throws InputError with the path of what is wrong
   */
  read(data: unknown): Piece {
    const { audio, sampleRate: rate } = data instanceof Tensor ? { audio: data } : fieldsOf(data);
    if (audio === undefined && rate === undefined) {
      throw new InputError('data', 'Expected {audio, sampleRate} but received neither.');
    }
    const sampleRate = rate === undefined && this.#sampleRate ? this.#sampleRate : readRate(rate);
    this.#sampleRate ??= sampleRate;
    if (sampleRate !== this.#sampleRate) {
      throw new InputError(
        'data.sampleRate',
        `Expected ${this.#sampleRate}, as the stream began, but received ${sampleRate}.`,
      );
    }
    const path = data instanceof Tensor ? 'data' : 'data.audio';
    const samples = audio === undefined ? new Float32Array() : readSamples(audio, path);
    return { sampleRate, samples };
  }
}

function refuseLonger(duration: number, maxSeconds: number, path: string): void {
  if (duration <= maxSeconds) return;
  throw new InputError(
    path,
    `Expected a recording of at most ${maxSeconds} seconds but received one of ${duration}.`,
  );
}

function secondsOf(samples: Float32Array, rate: number): number {
  return Math.round((samples.length * 1000) / rate) / 1000;
}

function fieldsOf(data: unknown): Record<string, unknown> {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return { ...data };
  throw new InputError('data', `Expected an object but received ${nameOf(data)}.`);
}

function readRate(rate: unknown): SampleRate {
  if (rate === 8000 || rate === 16000) return rate;
  const received = rate === undefined ? 'none' : JSON.stringify(rate);
  throw new InputError('data.sampleRate', `Expected 8000 or 16000 but received ${received}.`);
}

function readSamples(audio: unknown, path: string): Float32Array {
  return audio instanceof Tensor ? readTensor(audio, path) : readPcm(audio, path);
}

function readTensor({ type, data, dims }: Tensor, path: string): Float32Array {
  if (dims.length !== 1 || (type !== 'int16' && type !== 'float32')) {
    throw new InputError(
      path,
      `Expected a tensor of type int16 or float32 with one axis but received ${type} [${dims}].`,
    );
  }
  if (data instanceof Int16Array) return fromInt16(data.length, (index) => data[index]!);
  const samples = data as Float32Array;
  const wrong = samples.findIndex((sample) => !Number.isFinite(sample));
  if (wrong === -1) return samples;
  throw new InputError(
    path,
    `Expected finite numbers but received ${samples[wrong]} as sample ${wrong}.`,
  );
}

function readPcm(audio: unknown, path: string): Float32Array {
  const bytes = readBase64(audio, path);
  if (bytes.length % 2 !== 0) {
    throw new InputError(
      path,
      `Expected 16-bit samples, two bytes each, but received ${bytes.length} bytes.`,
    );
  }
  return fromInt16(bytes.length / 2, (index) => bytes.readInt16LE(2 * index));
}

function fromInt16(length: number, at: (index: number) => number): Float32Array {
  const samples = new Float32Array(length);
  for (let index = 0; index < length; index++) samples[index] = at(index) / 2 ** 15;
  return samples;
}

/** @returns the bytes of a text in the standard or the URL-safe alphabet, with or without padding */
function readBase64(text: unknown, path: string): Buffer {
  if (typeof text !== 'string') {
    throw new InputError(path, `Expected a base64 string but received ${nameOf(text)}.`);
  }
  const digits = text.replace(/={1,2}$/, '');
  if (!/^[\w+/-]*$/.test(digits) || digits.length % 4 === 1) {
    throw new InputError(
      path,
      'Expected a base64 string (standard or URL-safe, without line breaks or a "data:" prefix) but ' +
        'received text that is not base64.',
    );
  }
  return Buffer.from(digits, 'base64');
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Tensor) return 'a tensor';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
