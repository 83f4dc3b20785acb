import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SpeechSegment, VoiceActivityModel } from '../../plugins/voiceActivity/index.js';
import { resample } from '../../plugins/voiceActivity/resample.js';
import { chunk, config, formatChunk, voice16k, wavOf } from './voiceActivityAudio.js';

const model = new VoiceActivityModel(config);
let expected: SpeechSegment[];

beforeAll(async () => {
  await model.load();
  expected = await segments(voice16k.wav);
});
afterAll(() => model.unload());

async function segments(wav: Buffer): Promise<SpeechSegment[]> {
  const data = { wav: wav.toString('base64') };
  return (await model.predict({ data, options: {} })).predictions as SpeechSegment[];
}

const { pcm } = voice16k;
const data16 = Buffer.from(pcm.buffer);
const format16 = formatChunk(1, 1, 16000, 16);

/** The voice's samples, each written by `write` in `width` bytes. */
function rewritten(
  width: number,
  write: (to: Buffer, sample: number, offset: number) => void,
  channels = 1,
): Buffer {
  const bytes = Buffer.alloc(pcm.length * channels * width);
  for (const [index, sample] of pcm.entries()) write(bytes, sample, index * channels * width);
  return chunk('data', bytes);
}

describe('a WAV file', () => {
  test.each([
    [
      '24 bit PCM',
      formatChunk(1, 1, 16000, 24),
      rewritten(3, (to, x, at) => to.writeIntLE(x * 256, at, 3)),
    ],
    [
      '32 bit PCM',
      formatChunk(1, 1, 16000, 32),
      rewritten(4, (to, x, at) => to.writeInt32LE(x * 65536, at)),
    ],
    [
      '32 bit float',
      formatChunk(3, 1, 16000, 32),
      rewritten(4, (to, x, at) => to.writeFloatLE(x / 32768, at)),
    ],
    [
      'stereo',
      formatChunk(1, 2, 16000, 16),
      rewritten(
        2,
        // The channels differ, and their mean is the sample itself.
        (to, x, at) => {
          to.writeInt16LE(x - Math.trunc(x / 4), at);
          to.writeInt16LE(x + Math.trunc(x / 4), at + 2);
        },
        2,
      ),
    ],
  ])('of %s is read like the same in 16 bit mono', async (_kind, format, data) => {
    expect(await segments(wavOf(format, data))).toEqual(expected);
  });

  test('may have other chunks, of odd lengths too, before and after', async () => {
    const list = chunk('LIST', Buffer.from('INFOISFT\x03\0\0\0sox'));
    const wav = wavOf(list, format16, chunk('odd ', Buffer.alloc(3)), chunk('data', data16), list);
    expect(await segments(wav)).toEqual(expected);
  });

  test('may have an extensible format', async () => {
    const content = Buffer.alloc(40);
    formatChunk(0xfffe, 1, 16000, 16).copy(content, 0, 8);
    content.writeUInt16LE(22, 16);
    content.writeUInt16LE(16, 18);
    content.writeUInt16LE(1, 24);
    expect(await segments(wavOf(chunk('fmt ', content), chunk('data', data16)))).toEqual(expected);
  });

  test('may come from a pipe, with a size that nobody knew', async () => {
    for (const size of [0xffffffff, 0x7ffff024]) {
      expect(await segments(wavOf(format16, chunk('data', data16, size)))).toEqual(expected);
    }
  });

  const good = voice16k.wav;
  test.each([
    ['MP3', Buffer.from('ID3\x04 and so on and on'), /WAV file but received 21 bytes/],
    ['nothing', Buffer.alloc(0), /WAV file but received 0 bytes/],
    ['a cut header', good.subarray(0, 30), /format chunk is cut off/],
    ['no data', wavOf(format16), /no data chunk/],
    ['no format', wavOf(chunk('data', data16)), /no format chunk/],
    ['cut data', good.subarray(0, 1000), /data should have 146880 bytes but there are 956/],
    ['A-law', wavOf(formatChunk(6, 1, 8000, 8), chunk('data', data16)), /encoding 6 with 8 bits/],
    ['8 bit PCM', wavOf(formatChunk(1, 1, 8000, 8), chunk('data', data16)), /encoding 1 with 8/],
    ['no channels', wavOf(formatChunk(1, 0, 8000, 16), chunk('data', data16)), /no channels/],
    [
      'a low rate',
      wavOf(formatChunk(1, 1, 6000, 16), chunk('data', data16)),
      /8000 .* one of 6000/,
    ],
    ['a wild rate', wavOf(formatChunk(1, 1, 4e9, 16), chunk('data', data16)), /one of 4000000000/],
    [
      'a NaN',
      wavOf(
        formatChunk(3, 1, 16000, 32),
        chunk('data', Buffer.from(Float32Array.of(0, 0.5, Number.NaN).buffer)),
      ),
      /Sample 2 .* not a finite number/,
    ],
  ])('that is %s is refused', async (_kind, wav, message) => {
    await expect(segments(wav)).rejects.toMatchObject({
      name: 'InputError',
      path: 'data.wav',
      message: expect.stringMatching(message),
    });
  });
});

/** The voice at another rate, joined up by straight lines, which leaves noise above its own 8 kHz. */
function drawn(rate: number): Buffer {
  const bytes = Buffer.alloc(2 * Math.floor(((pcm.length - 1) * rate) / 16000));
  for (let index = 0; index < bytes.length / 2; index++) {
    const place = (index * 16000) / rate;
    const from = Math.floor(place);
    const slope = pcm[from + 1]! - pcm[from]!;
    bytes.writeInt16LE(Math.round(pcm[from]! + slope * (place - from)), 2 * index);
  }
  return wavOf(formatChunk(1, 1, rate, 16), chunk('data', bytes));
}

/** A second of a sine of half the full scale. */
function tone(frequency: number, rate: number): Float32Array {
  const at = (index: number) => 0.5 * Math.sin((2 * Math.PI * frequency * index) / rate);
  return Float32Array.from({ length: rate }, (_, index) => at(index));
}

describe('another rate', () => {
  test.each([11025, 22050, 44100, 48000, 44056])('of %i Hz gives the same', async (rate) => {
    const found = await segments(drawn(rate));
    expect(found).toHaveLength(expected.length);
    for (const [index, { start, end }] of expected.entries()) {
      expect(Math.abs(found[index]!.start - start)).toBeLessThan(0.05);
      expect(Math.abs(found[index]!.end - end)).toBeLessThan(0.05);
    }
  });

  test.each([11025, 22050, 44100, 48000])('of %i Hz keeps voices as they are', (rate) => {
    for (const frequency of [100, 1000, 0.35 * Math.min(rate, 16000)]) {
      const ideal = tone(frequency, 16000);
      const made = [...resample(tone(frequency, rate), rate, 16000)].flatMap((piece) => [...piece]);
      expect(made).toHaveLength(16000);
      // The ends are where the sine breaks off.
      for (let index = 200; index < 15_800; index++) {
        expect(Math.abs(made[index]! - ideal[index]!)).toBeLessThan(0.001);
      }
    }
  });

  test.each([
    [22050, 9000],
    [44100, 9000],
    [48000, 10_000],
    [48000, 20_000],
  ])('of %i Hz has no echo of what is too high for 16 kHz: %i Hz', (rate, frequency) => {
    const made = [...resample(tone(frequency, rate), rate, 16000)].flatMap((piece) => [...piece]);
    for (let index = 200; index < 15_800; index++) {
      expect(Math.abs(made[index]!)).toBeLessThan(0.001);
    }
  });
});
