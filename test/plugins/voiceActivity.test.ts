import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SpeechSegment, VoiceActivityModel } from '../../plugins/voiceActivity/index.js';
import { streamContext } from '../support/streamContext.js';
import {
  config,
  encoded,
  tolerance,
  turned,
  type Voice,
  voice8k,
  voice16k,
} from './voiceActivityAudio.js';

const model = new VoiceActivityModel(config);
beforeAll(() => model.load());
afterAll(() => model.unload());

async function segments(data: unknown, options = {}, own = model): Promise<SpeechSegment[]> {
  return (await own.predict({ data, options })).predictions as SpeechSegment[];
}

const fileOf = ({ wav }: Voice) => ({ wav: wav.toString('base64') });
const samplesOf = ({ pcm, sampleRate }: Voice) => ({ audio: encoded(pcm), sampleRate });
const silence = { audio: encoded(new Int16Array(32_000)), sampleRate: 16000 };

/** Each sentence's segment lies where the sentence does, within the tolerance. */
function expectSentences(found: SpeechSegment[], { sentences }: Voice) {
  expect(found).toHaveLength(sentences.length);
  for (const [index, [start, end]] of sentences.entries()) {
    expect(Math.abs(found[index]!.start - start)).toBeLessThan(tolerance);
    expect(Math.abs(found[index]!.end - end)).toBeLessThan(tolerance);
  }
}

describe('a recording', () => {
  test.each([
    ['16 kHz', voice16k],
    ['8 kHz', voice8k],
  ])('of %s is answered with where its sentences are', async (_rate, voice) => {
    const { predictions, metadata } = await model.predict({ data: fileOf(voice), options: {} });
    expectSentences(predictions as SpeechSegment[], voice);
    expect(metadata).toEqual({
      modelName: 'silero-vad-v6',
      sampleRate: voice.sampleRate,
      duration: voice.duration,
    });
  });

  test('is answered as the README shows it', async () => {
    const readme = readFileSync(
      new URL('../../plugins/voiceActivity/README.md', import.meta.url),
      'utf8',
    );
    const [, shown = ''] = /```json\n(\{"predictions".*?)\n```/s.exec(readme) ?? [];
    const { predictions, metadata } = await model.predict({ data: fileOf(voice16k), options: {} });
    expect(JSON.parse(shown)).toMatchObject({ predictions, metadata });
  });

  test('may be bare samples', async () => {
    expect(await segments(samplesOf(voice8k))).toEqual(await segments(fileOf(voice8k)));
  });

  test('without a voice has no segments', async () => {
    expect(await segments(silence)).toEqual([]);
    expect(await segments({ audio: '', sampleRate: 8000 })).toEqual([]);
  });

  test('that ends within a sentence ends its segment', async () => {
    const pcm = voice16k.pcm.subarray(0, 1.5 * 16000 + 100);
    const [only, ...others] = await segments({ audio: encoded(pcm), sampleRate: 16000 });
    expect(only).toMatchObject({ end: 1.506 });
    expect(others).toEqual([]);
  });

  test('is answered in a batch as alone', async () => {
    const inputs = [
      { data: fileOf(voice16k), options: {} },
      { data: fileOf(voice8k), options: { threshold: 0.7 } },
      { data: silence, options: {} },
      {
        data: { audio: encoded(turned(voice16k.pcm, 9000, 50_000)), sampleRate: 16000 },
        options: { speechPadMs: 0 },
      },
    ];
    const alone = [];
    for (const input of inputs) alone.push(await model.predict(input));
    expect(await model.predictBatch(inputs)).toEqual(alone);
  });
});

describe('the option', () => {
  const within = (found: SpeechSegment[]) =>
    found.reduce((sum, { start, end }) => sum + end - start, 0);

  test('threshold says how sure a frame must be', async () => {
    const strict = await segments(fileOf(voice16k), { threshold: 0.995 });
    const lax = await segments(fileOf(voice16k), { threshold: 0.1 });
    expect(within(strict)).toBeLessThan(within(lax));
    expect(await segments(fileOf(voice16k), { threshold: 0 })).toEqual([
      { start: 0, end: voice16k.duration },
    ]);
  });

  test('negThreshold says when a frame is no speech any more', async () => {
    const [first] = await segments(fileOf(voice16k));
    const [longer] = await segments(fileOf(voice16k), { negThreshold: 0.1 });
    expect(longer!.start).toBe(first!.start);
    expect(longer!.end).toBeGreaterThan(first!.end);
  });

  test('negThreshold follows the threshold where it is left out', async () => {
    const own = { threshold: 0.9, negThreshold: 0.75 };
    const followed = await segments(fileOf(voice16k), { threshold: 0.9 });
    expect(followed).toEqual(await segments(fileOf(voice16k), own));
    expect(followed).not.toEqual(await segments(fileOf(voice16k), { ...own, negThreshold: 0.35 }));
  });

  test('minSilenceDurationMs joins what is less far apart', async () => {
    const [first, second] = await segments(fileOf(voice16k));
    expect(await segments(fileOf(voice16k), { minSilenceDurationMs: 800 })).toEqual([
      { start: first!.start, end: voice16k.duration },
    ]);
    expect(second!.start - first!.end).toBeLessThan(0.8);
  });

  test('minSpeechDurationMs passes over what is shorter', async () => {
    const [first, second] = await segments(fileOf(voice16k));
    expect(await segments(fileOf(voice16k), { minSpeechDurationMs: 1500 })).toEqual([first]);
    expect(second!.end - second!.start).toBeLessThan(1.5);
    expect(await segments(fileOf(voice16k), { minSpeechDurationMs: 2500 })).toEqual([]);
  });

  test('minSpeechDurationMs is 250 where it is left out', async () => {
    const short = new Int16Array(32_000);
    short.set(voice16k.pcm.subarray(48_000, 50_400), 8000);
    const data = { audio: encoded(short), sampleRate: 16000 };
    expect(await segments(data)).toEqual([]);
    const [word] = await segments(data, { minSpeechDurationMs: 50 });
    expect(Math.abs(word!.start - 0.5)).toBeLessThan(tolerance);
    expect(word!.end - word!.start).toBeLessThan(0.25 + 0.06);
  });

  test('speechPadMs widens a segment on both sides, within the recording and up to the one before', async () => {
    const bare = await segments(fileOf(voice16k), { speechPadMs: 0 });
    const padded = await segments(fileOf(voice16k), { speechPadMs: 200 });
    for (const [index, { start, end }] of bare.entries()) {
      expect(padded[index]!.start).toBeCloseTo(start - 0.2, 5);
      expect(padded[index]!.end).toBeCloseTo(Math.min(end + 0.2, voice16k.duration), 5);
    }
    const [first, second] = await segments(fileOf(voice16k), { speechPadMs: 500 });
    expect(first!.start).toBe(0);
    expect(second!.start).toBe(first!.end);
    expect(second!.end).toBe(voice16k.duration);
  });

  test.each([
    ['threshold', 1.5, /<=1; received 1.5/],
    ['threshold', '0.5', /expected number.*received "0.5"/],
    ['negThreshold', -0.1, />=0; received -0.1/],
    ['negThreshold', 0.6, /from 0 to the threshold \(0.5\) but received 0.6/],
    ['minSpeechDurationMs', -1, />=0/],
    ['minSilenceDurationMs', null, /expected number/],
    ['speechPadMs', [30], /expected number/],
    ['treshold', 0.4, /no such setting/],
  ])('%s is refused as %j', async (name, value, message) => {
    await expect(segments(silence, { [name]: value })).rejects.toMatchObject({
      name: 'InputError',
      path: `options.${name}`,
      message: expect.stringMatching(message),
    });
  });
});

describe('a request', () => {
  const file = fileOf(voice8k);

  test.each([
    ['null', null, 'data', /an object but received null/],
    ['a list', [file], 'data', /an object but received a list/],
    ['a text', file.wav, 'data', /an object but received a string/],
    ['nothing', {}, 'data', /\{wav\} or \{audio, sampleRate\} but received neither/],
    ['two audios', { ...file, ...silence }, 'data', /but received both/],
    ['a number', { wav: 3 }, 'data.wav', /base64 string but received a number/],
    ['no base64', { wav: 'RIFF!' }, 'data.wav', /not base64/],
    ['samples of no rate', { audio: silence.audio }, 'data.sampleRate', /16000 but received none/],
    ['samples of another rate', { ...silence, sampleRate: 44100 }, 'data.sampleRate', /44100/],
    ['half a sample', { ...silence, audio: 'AAAA' }, 'data.audio', /but received 3 bytes/],
  ])('with %s is refused with its place', async (_kind, data, path, message) => {
    await expect(segments(data)).rejects.toMatchObject({
      name: 'InputError',
      path,
      message: expect.stringMatching(message),
    });
  });

  test('that is bad fails its batch before anything runs, and the others are answered alone', async () => {
    const good = { data: file, options: {} };
    const bad = { data: { wav: '' }, options: {} };
    await expect(async () => model.predictBatch([good, bad])).rejects.toMatchObject({
      path: 'data.wav',
    });
    expectSentences(await segments(file), voice8k);
  });
});

describe('the model', () => {
  test('v5 finds the sentences too', async () => {
    const v5 = new VoiceActivityModel({ ...config, model: 'v5' });
    await v5.load();
    for (const voice of [voice16k, voice8k]) {
      expectSentences(await segments(fileOf(voice), {}, v5), voice);
    }
    const { metadata } = await v5.predict({ data: silence, options: {} });
    expect(metadata).toMatchObject({ modelName: 'silero-vad-v5' });
    v5.unload();
  });

  test('takes what a request leaves out from its configuration', async () => {
    const own = new VoiceActivityModel({
      ...config,
      options: { threshold: 0.3, negThreshold: 0.1, minSpeechDurationMs: 1500 },
    });
    await own.load();
    const configured = { threshold: 0.3, negThreshold: 0.1, minSpeechDurationMs: 1500 };
    const [first, ...others] = await segments(fileOf(voice16k), configured);
    expect(others).toEqual([]);
    expect(await segments(fileOf(voice16k), {}, own)).toEqual([first]);
    // Its negThreshold goes with its threshold.
    expect(await segments(fileOf(voice16k), { threshold: 0.9 }, own)).toEqual(
      await segments(fileOf(voice16k), { threshold: 0.9, minSpeechDurationMs: 1500 }),
    );
    own.unload();
  });

  test.each([
    ['an unknown network', { model: 'v4' }, 'config.model', /v5.*v6/],
    ['no frames', { maxFramesPerRun: 0 }, 'config.maxFramesPerRun', />0/],
    ['a bad option', { options: { threshold: 2 } }, 'config.options.threshold', /<=1/],
    ['an unknown option', { options: { pad: 2 } }, 'config.options.pad', /no such setting/],
    ['options at odds', { options: { negThreshold: 0.9 } }, 'config.options.negThreshold', /0\.5/],
  ])('refuses a configuration with %s', async (_kind, change, path, message) => {
    const broken = { ...config, ...change } as typeof config;
    await expect(new VoiceActivityModel(broken).load()).rejects.toMatchObject({
      name: 'InputError',
      path,
      message: expect.stringMatching(message),
    });
  });

  test('needs no options in its configuration', async () => {
    const { options: _, ...others } = config;
    const own = new VoiceActivityModel(others as typeof config);
    await own.load();
    const answer = await segments(fileOf(voice16k), {}, own);
    expect(answer).toEqual(await segments(fileOf(voice16k)));
    own.unload();
  });

  test('refuses recordings that last longer than it allows', async () => {
    const own = new VoiceActivityModel({ ...config, maxSeconds: 1 });
    await own.load();
    await expect(segments(fileOf(voice16k), {}, own)).rejects.toMatchObject({
      path: 'data.wav',
      message: expect.stringMatching(
        /^Expected a recording of at most 1 seconds but received one of/,
      ),
    });
    const audio = Buffer.alloc(2 * 8100).toString('base64');
    await expect(
      own.predict({ data: { audio, sampleRate: 8000 }, options: {} }),
    ).rejects.toMatchObject({ path: 'data.audio' });
    own.unload();
  });

  test('stops answering a request that is over', async () => {
    const abort = new AbortController();
    const context = streamContext({ signal: abort.signal });
    const answer = model.predict({ data: fileOf(voice16k), options: {} }, context);
    abort.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('answers again after unload and load, and not in between', async () => {
    const own = new VoiceActivityModel(config);
    await own.load();
    own.unload();
    expect(own.healthCheck().healthy).toBe(false);
    await expect(segments(silence, {}, own)).rejects.toThrow('not loaded');
    await own.load();
    expect(await segments(silence, {}, own)).toEqual([]);
    own.unload();
  });
});
