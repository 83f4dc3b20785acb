import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import type { VoiceActivityConfig } from '../../plugins/voiceActivity/settings.js';

const plugin = new URL('../../plugins/voiceActivity/', import.meta.url);
const fixtures = new URL('../fixtures/voiceActivity/', import.meta.url);

// The server keeps the serving block to itself.
const { serving: _serving, ...config } = load(
  readFileSync(new URL('config.yaml', plugin), 'utf8'),
) as VoiceActivityConfig & { serving: unknown };

/** The plugin's config.yaml. */
export { config };

/** A recording of two sentences; the fixtures' README says how it was made. */
export interface Voice {
  wav: Buffer;
  /** The same sound without the header. */
  pcm: Int16Array;
  sampleRate: 8000 | 16000;
  /** Where each sentence begins and ends, in seconds. */
  sentences: [number, number][];
  /** In seconds. */
  duration: number;
}

function voice(
  file: string,
  sampleRate: Voice['sampleRate'],
  sentences: Voice['sentences'],
  duration: number,
): Voice {
  const wav = readFileSync(new URL(file, fixtures));
  // sox wrote the shortest header that there is.
  const pcm = new Int16Array(Uint8Array.from(wav.subarray(44)).buffer);
  return { wav, pcm, sampleRate, sentences, duration };
}

const sentences16k: Voice['sentences'] = [
  [0.4, 2.3],
  [3.0, 4.29],
];
const sentences8k: Voice['sentences'] = [
  [0.6, 2.35],
  [3.15, 3.94],
];
export const voice16k = voice('twoSentences16k.wav', 16000, sentences16k, 4.59);
export const voice8k = voice('twoSentences8k.wav', 8000, sentences8k, 4.44);

/** Seconds that a boundary may be off: the padding, and three frames in which a voice fades. */
export const tolerance = 0.03 + 3 * 0.032;

/** Samples as a request has them. */
export function encoded(pcm: Int16Array): string {
  return Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).toString('base64');
}

/** The samples of one recording, round and round, from a place on. */
export function turned(pcm: Int16Array, from: number, length: number): Int16Array {
  return Int16Array.from({ length }, (_, index) => pcm[(from + index) % pcm.length]!);
}

/** A chunk of a WAV file. `size` is what it claims to hold, by default what it does. */
export function chunk(name: string, content: Uint8Array, size = content.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

export function wavOf(...chunks: Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]));
}

/** A WAV file's format chunk. */
export function formatChunk(
  encoding: number,
  channels: number,
  sampleRate: number,
  bits: number,
): Buffer {
  const content = Buffer.alloc(16);
  content.writeUInt16LE(encoding, 0);
  content.writeUInt16LE(channels, 2);
  content.writeUInt32LE(sampleRate, 4);
  content.writeUInt32LE(((sampleRate * channels * bits) / 8) >>> 0, 8);
  content.writeUInt16LE((channels * bits) / 8, 12);
  content.writeUInt16LE(bits, 14);
  return chunk('fmt ', content);
}
