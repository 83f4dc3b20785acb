import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PartialPredictionOutput } from '../../dist/index.js';
import type { TextRecognitionConfig } from '../../plugins/textRecognition/config.js';
import {
  type ImageText,
  type TextLine,
  TextRecognitionModel,
} from '../../plugins/textRecognition/index.js';
import { streamContext } from '../support/streamContext.js';

const plugin = new URL('../../plugins/textRecognition/', import.meta.url);
const fixtures = new URL('../fixtures/textRecognition/', import.meta.url);
// The server keeps the serving block to itself.
const { serving: _serving, ...config } = load(
  readFileSync(new URL('config.yaml', plugin), 'utf8'),
) as TextRecognitionConfig & { serving: unknown };

const receipt = readFileSync(new URL('example.png', plugin));
const sign = readFileSync(new URL('sign.jpg', fixtures));
const tilted = readFileSync(new URL('tilted.png', fixtures));
const noText = readFileSync(new URL('noText.png', fixtures));

const receiptTexts = [
  ...['Corner Bakery', 'Rye bread', '4.80', 'Apple cake', '3.25'],
  ...['Coffee, black', '2.10', 'Total', '10.15'],
];
const signTexts = ['Museum of Clocks', 'Open daily until 18:45'];
const tiltedTexts = ['Keep this side up at all times', 'Invoice number 20417'];

const model = new TextRecognitionModel(config);
beforeAll(() => model.load());
afterAll(() => model.unload());

const encoded = (image: Buffer) => image.toString('base64');
const texts = (image: ImageText) => image.lines.map((line) => line.text);

async function read(image: Buffer, options = {}): Promise<ImageText> {
  return (await model.predict({ data: encoded(image), options })).predictions as ImageText;
}

/** The angle of the text's direction in degrees, clockwise from level. */
function angle({ box: [start, end] }: TextLine): number {
  return (Math.atan2(end[1] - start[1], end[0] - start[0]) * 180) / Math.PI;
}

describe('reading', () => {
  test('a PNG gives its lines in reading order, each with a score and a box around it', async () => {
    const answer = await read(receipt);

    expect(answer).toMatchObject({ width: 420, height: 300 });
    expect(texts(answer)).toEqual(receiptTexts);
    for (const line of answer.lines) {
      expect(line.score).toBeGreaterThan(0.9);
      expect(line.score).toBeLessThanOrEqual(1);
    }
    // "4.80" is drawn from x = 320 to about 366, above a baseline at y = 100, 20 pixels large.
    const [upperLeft, , lowerRight] = answer.lines[2]!.box;
    expect(upperLeft[0]).toBeGreaterThan(305);
    expect(upperLeft[0]).toBeLessThanOrEqual(320);
    expect(upperLeft[1]).toBeGreaterThan(65);
    expect(upperLeft[1]).toBeLessThanOrEqual(85);
    expect(lowerRight[0]).toBeGreaterThanOrEqual(366);
    expect(lowerRight[0]).toBeLessThan(380);
    expect(lowerRight[1]).toBeGreaterThanOrEqual(100);
    expect(lowerRight[1]).toBeLessThan(118);
  });

  test('a JPEG is read, light text on dark too', async () => {
    expect(texts(await read(sign))).toEqual(signTexts);
  });

  test('tilted text is read, and its boxes are tilted with it', async () => {
    const answer = await read(tilted);

    expect(texts(answer)).toEqual(tiltedTexts);
    for (const line of answer.lines) expect(Math.abs(angle(line) + 20)).toBeLessThan(2);
  });

  test.each([90, 180, 270])(
    'a page turned by %i degrees reads as the upright one',
    async (turn) => {
      const answer = await read(await sharp(receipt).rotate(turn).png().toBuffer());

      expect(texts(answer)).toEqual(receiptTexts);
      for (const line of answer.lines) {
        const off = ((angle(line) - turn + 540) % 360) - 180;
        expect(Math.abs(off)).toBeLessThan(10);
      }
    },
  );

  test('a photo is read as its EXIF orientation shows it', async () => {
    const sideways = sharp(receipt).rotate(90).withMetadata({ orientation: 8 });
    const answer = await read(await sideways.jpeg({ quality: 95 }).toBuffer());

    expect(answer).toMatchObject({ width: 420, height: 300 });
    expect(texts(answer)).toEqual(receiptTexts);
  });

  test.each([
    ['grey', () => sharp(receipt).greyscale().png()],
    ['transparent', () => sharp(receipt).unflatten().png()],
    ['16-bit', () => sharp(receipt).toColourspace('rgb16').png()],
    ['CMYK', () => sharp(receipt).toColourspace('cmyk').jpeg({ quality: 95 })],
  ])('a %s image is read', async (_kind, make) => {
    expect(texts(await read(await make().toBuffer()))).toEqual(receiptTexts);
  });

  test('an image larger than the detection looks at keeps its own coordinates', async () => {
    const answer = await read(await sharp(receipt).resize(2100).png().toBuffer());

    expect(answer).toMatchObject({ width: 2100, height: 1500 });
    expect(texts(answer)).toEqual(receiptTexts);
    const [x, y] = answer.lines.at(-1)!.box[0];
    expect(Math.abs(x / 5 - 306)).toBeLessThan(8);
    expect(Math.abs(y / 5 - 217)).toBeLessThan(8);
  });

  test('an image without text has no lines', async () => {
    expect(await read(noText)).toEqual({ width: 300, height: 200, lines: [] });
  });
});

describe('requests', () => {
  test('the URL-safe alphabet gives the same answer', async () => {
    expect(receipt.toString('base64url')).not.toBe(encoded(receipt));
    const answer = await model.predict({ data: receipt.toString('base64url'), options: {} });

    expect(answer.predictions).toEqual(await read(receipt));
  });

  test('a list of images is answered by a list', async () => {
    const answer = await model.predict({ data: [encoded(sign), encoded(tilted)], options: {} });

    expect((answer.predictions as ImageText[]).map(texts)).toEqual([signTexts, tiltedTexts]);
    expect(answer.metadata).toEqual({ modelName: 'PP-OCRv4', numImages: 2, numLines: 4 });
  });

  test('options.minScore decides which lines are worth telling', async () => {
    const { lines } = await read(receipt);
    const minScore = lines.map((line) => line.score).sort()[4]!;

    const answer = await read(receipt, { minScore });

    expect(answer.lines).toEqual(lines.filter((line) => line.score >= minScore));
    expect(answer.lines.length).toBeLessThan(lines.length);
  });

  test('a batch gives each request the answer that it gets alone', async () => {
    const inputs = [
      { data: encoded(receipt), options: {} },
      { data: [encoded(tilted), encoded(noText), encoded(receipt)], options: {} },
      { data: encoded(sign), options: { minScore: 0.968 } },
    ];

    const together = (await model.predictBatch(inputs)) as PartialPredictionOutput[];

    expect(together).toHaveLength(inputs.length);
    for (const [index, input] of inputs.entries()) {
      const alone = await model.predict(input);
      const flat = (predictions: unknown) => [predictions].flat() as ImageText[];
      const [batched, single] = [flat(together[index]!.predictions), flat(alone.predictions)];
      expect(batched.map(texts)).toEqual(single.map(texts));
      expect(together[index]!.metadata).toEqual(alone.metadata);
      batched.forEach((image, at) => {
        image.lines.forEach((line, row) => {
          expect(line.box).toEqual(single[at]!.lines[row]!.box);
          expect(line.score).toBeCloseTo(single[at]!.lines[row]!.score, 3);
        });
      });
    }
  });
});

describe('bad requests', () => {
  const good = encoded(sign);

  test.each([
    ['a number', 7, 'data', /base64 string but received number/],
    ['null', null, 'data', /base64 string but received null/],
    ['no images', [], 'data', /from 1 to 16 images .* received 0/],
    ['too many images', Array(17).fill(good), 'data', /from 1 to 16 images .* received 17/],
    ['text', 'not base64!', 'data', /not base64/],
    ['a data URL', `data:image/png;base64,${good}`, 'data', /not base64/],
    ['cut base64', 'iVBOR', 'data', /not base64/],
    ['other bytes', encoded(Buffer.from('GIF89a')), 'data', /PNG or a JPEG image .* 6 bytes/],
    ['a damaged second image', [good, encoded(receipt.subarray(0, 2000))], 'data[1]', /decoded/],
    ['a cut JPEG', encoded(sign.subarray(0, 4000)), 'data', /decoded/],
    ['a mere signature', encoded(receipt.subarray(0, 8)), 'data', /decoded/],
  ])('%s is refused with its place', async (_kind, data, path, message) => {
    await expect(model.predict({ data, options: {} })).rejects.toMatchObject({
      name: 'InputError',
      path,
      message: expect.stringMatching(message),
    });
  });

  test('an image of too many pixels is refused before it is decoded', async () => {
    const wide = sharp({ create: { width: 8000, height: 6000, channels: 3, background: 'white' } });
    const data = encoded(await wide.png().toBuffer());

    await expect(model.predict({ data, options: {} })).rejects.toMatchObject({
      path: 'data',
      message: expect.stringMatching(/at most 40000000 pixels but received one of 8000 × 6000/),
    });
  });

  test.each([-0.1, 1.1, '0.5', null])('options.minScore of %j is refused', async (minScore) => {
    await expect(model.predict({ data: good, options: { minScore } })).rejects.toMatchObject({
      name: 'InputError',
      path: 'options.minScore',
    });
  });

  test('a batch with a bad request is refused whole, and its good requests are answered alone', async () => {
    const bad = { data: encoded(receipt.subarray(0, 2000)), options: {} };
    const fine = { data: good, options: {} };

    await expect(model.predictBatch([fine, bad])).rejects.toMatchObject({ name: 'InputError' });
    expect(texts((await model.predict(fine)).predictions as ImageText)).toEqual(signTexts);
  });
});

describe('the model', () => {
  test.each([
    ['out of range', { threshold: 3 }, 'config.detection.threshold', /<=1/],
    ['unknown', { treshold: 0.4 }, 'config.detection', /treshold/],
  ])('refuses a setting that is %s', async (_kind, change, path, message) => {
    const detection = { ...config.detection, ...change };
    await expect(new TextRecognitionModel({ ...config, detection }).load()).rejects.toMatchObject({
      name: 'InputError',
      path,
      message: expect.stringMatching(message),
    });
  });

  test('reads upside-down text only where the orientation model is on', async () => {
    const upright = new TextRecognitionModel({
      ...config,
      orientation: { enabled: false, threshold: 0.9 },
    });
    await upright.load();
    const turned = encoded(await sharp(sign).rotate(180).png().toBuffer());

    const answer = await upright.predict({ data: turned, options: { minScore: 0 } });
    upright.unload();

    expect(texts(answer.predictions as ImageText)).not.toContain(signTexts[0]);
    const turnedBack = await model.predict({ data: turned, options: {} });
    expect(texts(turnedBack.predictions as ImageText)).toEqual(signTexts);
  });

  test('refuses images of more lines than it allows', async () => {
    const own = new TextRecognitionModel({
      ...config,
      detection: { ...config.detection, maxLines: 1 },
    });
    await own.load();
    await expect(own.predict({ data: encoded(sign), options: {} })).rejects.toMatchObject({
      path: 'data',
      message: expect.stringContaining('at most 1 lines of text'),
    });
    own.unload();
  });

  test('stops answering a request that is over', async () => {
    const abort = new AbortController();
    const input = { data: [encoded(sign), encoded(sign)], options: {} };
    const answer = model.predict(input, streamContext({ signal: abort.signal }));
    abort.abort();
    await expect(answer).rejects.toThrow('Nobody waits');
  });

  test('answers again after unload and load, and not in between', async () => {
    const own = new TextRecognitionModel(config);
    const input = { data: encoded(sign), options: {} };
    await own.load();
    own.unload();

    expect(own.healthCheck().healthy).toBe(false);
    await expect(own.predict(input)).rejects.toThrow('not loaded');

    await own.load();
    expect(texts((await own.predict(input)).predictions as ImageText)).toEqual(signTexts);
    own.unload();
  });
});
