import { createRequire } from 'node:module';
import path from 'node:path';
import { InferenceSession, type PredictionInput, Tensor } from 'cloudeasyml';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Detection,
  type SpeechSegment,
  VoiceActivityModel,
} from '../../plugins/voiceActivity/index.js';
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
afterEach(() => vi.restoreAllMocks());

/** What comes out of a stream of these `data`. */
async function detect(
  data: Iterable<unknown> | AsyncIterable<unknown>,
  options: Record<string, unknown> = {},
): Promise<Detection[]> {
  const detections: Detection[] = [];
  for await (const { predictions } of open(data, options)) detections.push(predictions);
  return detections;
}

function open(data: Iterable<unknown> | AsyncIterable<unknown>, options = {}) {
  async function* inputs(): AsyncGenerator<PredictionInput> {
    for await (const each of data) yield { data: each, options: {} };
  }
  return model.stream(inputs(), streamContext({ signal: new AbortController().signal, options }));
}

/** Samples in pieces of a length; the first input says the rate. */
function* pieces(pcm: Int16Array, sampleRate: number, length: number) {
  yield { audio: encoded(pcm.subarray(0, length)), sampleRate };
  for (let start = length; start < pcm.length; start += length) {
    yield { audio: encoded(pcm.subarray(start, start + length)) };
  }
}

/** The network by itself, run over a voice that is followed by silence as its authors' wrapper does it. */
async function probabilities({ pcm, sampleRate }: Voice): Promise<number[]> {
  const file = createRequire(import.meta.url).resolve('@ricky0123/vad-web');
  const session = await InferenceSession.create(path.join(file, '../silero_vad_v6.onnx'));
  const [frame, context] = sampleRate === 8000 ? [256, 32] : [512, 64];
  const padded = new Float32Array(context + Math.ceil(pcm.length / frame) * frame);
  padded.set(
    Float32Array.from(pcm, (sample) => sample / 32768),
    context,
  );
  const sr = new Tensor('int64', BigInt64Array.of(BigInt(sampleRate)), []);
  let state = new Tensor('float32', new Float32Array(256), [2, 1, 128]);
  const results: number[] = [];
  for (let start = 0; start + context < padded.length; start += frame) {
    const window = padded.slice(start, start + context + frame);
    const input = new Tensor('float32', window, [1, window.length]);
    const { output, stateN } = session.run({ input, state, sr });
    state = stateN as typeof state;
    results.push(Number(output!.data[0]));
  }
  session.release();
  return results;
}

const inPieces = ({ pcm, sampleRate }: Voice, length: number) => pieces(pcm, sampleRate, length);

const eventsOf = (detections: Detection[]) => detections.filter((each) => 'event' in each);
const framesOf = (detections: Detection[]) => detections.filter((each) => 'probability' in each);

/** A stream's events as the segments that they bound. */
function segmentsOf(detections: Detection[]): SpeechSegment[] {
  const segments: SpeechSegment[] = [];
  for (const { event, time } of eventsOf(detections)) {
    if (event === 'start') segments.push({ start: time, end: Number.NaN });
    else segments.at(-1)!.end = time;
  }
  return segments;
}

describe.each([
  ['16 kHz', voice16k],
  ['8 kHz', voice8k],
])('a stream of %s', (_rate, voice) => {
  test('gives a probability for each frame of 32 ms, high where there is a voice', async () => {
    const frames = framesOf(await detect(inPieces(voice, 1000)));
    expect(frames.map(({ time }) => time)).toEqual(
      Array.from({ length: Math.ceil(voice.duration / 0.032) }, (_, index) =>
        Number((index * 0.032).toFixed(3)),
      ),
    );
    for (const { time, probability } of frames) {
      const [[from, ,], [, to]] = voice.sentences as [[number, number], [number, number]];
      if (time < from - 0.1 || time > to + 0.1) expect(probability).toBeLessThan(0.3);
      else expect(probability).toBeLessThanOrEqual(1);
    }
    const [from, to] = voice.sentences[0]!;
    const spoken = frames.filter(({ time }) => time > from + 0.1 && time < to - 0.1);
    const sure = spoken.filter(({ probability }) => probability > 0.9);
    expect(sure.length / spoken.length).toBeGreaterThan(0.8);
  });

  test('gives what the network says of each frame after all that came before it', async () => {
    const expected = await probabilities(voice);
    const frames = framesOf(await detect(inPieces(voice, 1000)));
    expect(frames.length).toBe(expected.length);
    for (const [index, { probability }] of frames.entries()) {
      expect(Math.abs(probability - expected[index]!)).toBeLessThanOrEqual(1e-5);
    }
  });

  test('tells where each sentence starts and ends', async () => {
    const segments = segmentsOf(await detect(inPieces(voice, 1000)));
    expect(segments).toHaveLength(2);
    for (const [index, [start, end]] of voice.sentences.entries()) {
      expect(Math.abs(segments[index]!.start - start)).toBeLessThan(tolerance);
      expect(Math.abs(segments[index]!.end - end)).toBeLessThan(tolerance);
    }
  });

  test.each([
    { minSpeechDurationMs: 250 },
    { minSpeechDurationMs: 1500, threshold: 0.8 },
    { minSpeechDurationMs: 0, minSilenceDurationMs: 0, speechPadMs: 0 },
    { minSpeechDurationMs: 100, speechPadMs: 70 },
    { minSpeechDurationMs: 100, minSilenceDurationMs: 800 },
  ])('bounds what a recording with %j is answered with', async (options) => {
    const { pcm, sampleRate } = voice;
    const data = { audio: encoded(pcm), sampleRate };
    const { predictions } = await model.predict({ data, options });
    expect(segmentsOf(await detect(inPieces(voice, 1000), options))).toEqual(predictions);
  });

  test.each([1, 255, 513, 5000])('may come in pieces of %i samples', async (length) => {
    const whole = await detect(inPieces(voice, voice.pcm.length));
    expect(await detect(inPieces(voice, length))).toEqual(whole);
  });
});

describe('an input', () => {
  const { pcm, sampleRate } = voice8k;

  test('may hold a tensor of whole or of real numbers', async () => {
    const floats = Float32Array.from(pcm, (sample) => sample / 32768);
    const expected = await detect(inPieces(voice8k, pcm.length));
    const half = 17_001;
    const tensors = {
      int16: [pcm.slice(0, half), pcm.slice(half)].map((part) => new Tensor('int16', part)),
      float32: [floats.slice(0, half), floats.slice(half)].map(
        (part) => new Tensor('float32', part),
      ),
    };
    for (const [first, second] of Object.values(tensors)) {
      expect(await detect([{ sampleRate, audio: first }, { audio: second }])).toEqual(expected);
      // A lone tensor is the data itself.
      expect(await detect([{ sampleRate }, first, second])).toEqual(expected);
    }
  });

  test('may have no samples, or repeat the rate', async () => {
    const expected = await detect(inPieces(voice8k, pcm.length));
    const all = { audio: encoded(pcm), sampleRate };
    const none = { audio: '', sampleRate };
    expect(await detect([{ sampleRate }, none, all, none, { audio: '' }])).toEqual(expected);
  });

  const some = encoded(pcm.slice(0, 300));
  const floats = new Float32Array(300);
  const mad = Float32Array.of(0, Number.NaN);
  const loud = Float32Array.of(0, 0, Number.POSITIVE_INFINITY);
  test.each([
    ['no rate', { audio: some }, 'data.sampleRate', /8000 or 16000 but received none/],
    ['another rate', { audio: some, sampleRate: 48000 }, 'data.sampleRate', /received 48000/],
    ['a rate in words', { audio: some, sampleRate: '8000' }, 'data.sampleRate', /"8000"/],
    ['nothing', {}, 'data', /received neither/],
    ['null', null, 'data', /object but received null/],
    ['a text', some, 'data', /object but received a string/],
    ['numbers', { audio: [1, 2], sampleRate }, 'data.audio', /received a list/],
    ['no base64', { audio: 'no audio!', sampleRate }, 'data.audio', /not base64/],
    ['cut base64', { audio: 'AAAAA', sampleRate }, 'data.audio', /not base64/],
    ['half a sample', { audio: 'AA==', sampleRate }, 'data.audio', /received 1 bytes/],
    ['a NaN', { audio: new Tensor('float32', mad), sampleRate }, 'data.audio', /NaN as sample 1/],
    ['infinity', { audio: new Tensor('float32', loud), sampleRate }, 'data.audio', /sample 2/],
    [
      'doubles',
      { audio: new Tensor('float64', Float64Array.of(0)), sampleRate },
      'data.audio',
      /received float64 \[1\]/,
    ],
    [
      'channels',
      { audio: new Tensor('float32', floats, [2, 150]), sampleRate },
      'data.audio',
      /one axis but received float32 \[2,150\]/,
    ],
    ['a lone tensor before the rate', new Tensor('float32', floats), 'data.sampleRate', /none/],
  ])('with %s is refused with its place', async (_kind, data, path, message) => {
    await expect(detect([data])).rejects.toMatchObject({
      name: 'InputError',
      path,
      message: expect.stringMatching(message),
    });
  });

  test('must keep the rate, and what came before it is answered', async () => {
    const stream = open([
      { audio: some, sampleRate },
      { audio: some, sampleRate: 16000 },
    ]);
    expect(await stream.next()).toMatchObject({ value: { predictions: { time: 0 } } });
    await expect(stream.next()).rejects.toMatchObject({
      name: 'InputError',
      path: 'data.sampleRate',
      message: 'Expected 8000, as the stream began, but received 16000.',
    });
  });
});

describe('a stream', () => {
  test('tells of a start and an end as soon as they are certain', async () => {
    let heard = 0;
    function* heardPieces() {
      for (const piece of inPieces(voice16k, 512)) {
        yield piece;
        heard += 0.032;
      }
    }
    for await (const { predictions } of open(heardPieces())) {
      if (!('event' in predictions)) continue;
      const delay = heard - predictions.time;
      // The padding is 30 ms; an end takes 100 ms of silence, which are four frames, to be one.
      if (predictions.event === 'start') expect(delay).toBeCloseTo(0.03);
      else expect(delay).toBeCloseTo(4 * 0.032 - 0.03);
    }
    expect(heard).toBeGreaterThan(4.5);
  });

  test('tells of the shortest word, unless minSpeechDurationMs says otherwise', async () => {
    const short = new Int16Array(32_000);
    short.set(voice16k.pcm.subarray(48_000, 50_400), 8000);
    const data = { audio: encoded(short), sampleRate: 16000 };
    expect(segmentsOf(await detect([data]))).toHaveLength(1);
    expect(eventsOf(await detect([data], { minSpeechDurationMs: 250 }))).toEqual([]);
  });

  test('that ends within a sentence ends that', async () => {
    const pcm = voice16k.pcm.subarray(0, 1.5 * 16000 + 100);
    const detections = await detect(pieces(pcm, 16000, 700));
    expect(eventsOf(detections)).toMatchObject([{ event: 'start' }, { event: 'end', time: 1.506 }]);
    expect(detections.at(-1)).toMatchObject({ event: 'end' });
  });

  test('of nothing, or of a rate alone, gives nothing', async () => {
    expect(await detect([])).toEqual([]);
    expect(await detect([{ sampleRate: 8000 }])).toEqual([]);
  });

  test('refuses bad options before it takes an input', async () => {
    let asked = false;
    function* inputs() {
      asked = true;
      yield { audio: '', sampleRate: 8000 };
    }
    await expect(detect(inputs(), { threshold: 7 })).rejects.toMatchObject({
      name: 'InputError',
      path: 'options.threshold',
    });
    expect(asked).toBe(false);
  });

  test('that is cancelled lets go of its inputs', async () => {
    let closed = false;
    async function* inputs() {
      try {
        yield* inPieces(voice16k, 512);
      } finally {
        closed = true;
      }
    }
    for await (const { predictions } of open(inputs())) {
      if ('event' in predictions) break;
    }
    expect(closed).toBe(true);
  });
});

describe('concurrent streams', () => {
  /** Fifty streams that differ in voice, place, length, piece and options. */
  const streams = Array.from({ length: 50 }, (_, index) => {
    const { pcm, sampleRate } = index % 5 === 4 ? voice8k : voice16k;
    const from = (index * 7919) % pcm.length;
    const part = turned(pcm, from, sampleRate * (1.5 + (index % 7) / 10) + index);
    return {
      data: () => pieces(part, sampleRate, 160 + 97 * index),
      options: { threshold: 0.4 + (index % 3) / 10 },
    };
  });

  test('get the answers that each would get alone, from far fewer runs', async () => {
    const run = vi.spyOn(InferenceSession.prototype, 'run');
    const alone: Detection[][] = [];
    for (const { data, options } of streams) alone.push(await detect(data(), options));
    const runsAlone = run.mock.calls.length;
    const frames = alone.flatMap(framesOf);
    expect(runsAlone).toBe(frames.length);

    run.mockClear();
    const together = await Promise.all(streams.map(({ data, options }) => detect(data(), options)));

    for (const [index, detections] of together.entries()) {
      expect(eventsOf(detections)).toEqual(eventsOf(alone[index]!));
      expect(eventsOf(detections).length).toBeGreaterThanOrEqual(2);
      const expected = framesOf(alone[index]!);
      for (const [frame, { time, probability }] of framesOf(detections).entries()) {
        expect(time).toBe(expected[frame]!.time);
        expect(Math.abs(probability - expected[frame]!.probability)).toBeLessThanOrEqual(1e-5);
      }
      expect(detections).toHaveLength(alone[index]!.length);
    }
    // 40 streams share the runs of 16 kHz, 10 those of 8 kHz.
    expect(run.mock.calls.length).toBeLessThan(runsAlone / 10);
    const rows = run.mock.calls.map(([feeds]) => feeds.input!.dims[0]!);
    expect(Math.max(...rows)).toBe(40);
    expect(rows.reduce((sum, count) => sum + count, 0)).toBe(frames.length);
  });

  test('are at most maxFramesPerRun in a run', async () => {
    const own = new VoiceActivityModel({ ...config, maxFramesPerRun: 3 });
    await own.load();
    const run = vi.spyOn(InferenceSession.prototype, 'run');
    const data = { audio: encoded(voice16k.pcm.slice(0, 16_000)), sampleRate: 16000 };
    const inputs = Array.from({ length: 8 }, () => ({ data, options: {} }));
    const outputs = await own.predictBatch(inputs);
    expect(new Set(outputs.map((output) => JSON.stringify(output))).size).toBe(1);
    const rows = run.mock.calls.map(([feeds]) => feeds.input!.dims[0]!);
    expect(Math.max(...rows)).toBe(3);
    own.unload();
  });

  test('go on where one of them fails or is cancelled', async () => {
    const expected = await detect(inPieces(voice16k, 400));
    const failing = detect([
      { audio: encoded(voice16k.pcm), sampleRate: 16000 },
      { audio: 'AAAA' },
    ]);
    const cancelled = (async () => {
      let count = 0;
      for await (const _ of open(inPieces(voice16k, 300))) if (++count === 20) return count;
      return count;
    })();
    const [good, bad, left] = await Promise.allSettled([
      detect(inPieces(voice16k, 400)),
      failing,
      cancelled,
    ]);
    expect(bad).toMatchObject({ reason: expect.objectContaining({ path: 'data.audio' }) });
    expect(left).toMatchObject({ value: 20 });
    expect(good.status).toBe('fulfilled');
    const frames = framesOf((good as PromiseFulfilledResult<Detection[]>).value);
    for (const [index, { probability }] of framesOf(expected).entries()) {
      expect(frames[index]!.probability).toBeCloseTo(probability, 4);
    }
  });
});
