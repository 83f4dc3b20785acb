import { InputError } from 'cloudeasyml';
import sharp from 'sharp';
import type { Pixels } from './pixels.js';

const base64 = /^[\w+/-]+={0,2}$/;
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const jpegSignature = Buffer.from([0xff, 0xd8, 0xff]);

/** An image of a request: its bytes, and where in the request it stands. */
export interface EncodedImage {
  path: string;
  bytes: Buffer;
}

/**
 * Takes the images out of a request's `data`, without decoding them.
 *
 * @param data one image or a list of them, each its bytes, or base64 in the standard or the URL-safe
 *   alphabet
 * @throws InputError where an entry is not base64 or holds neither a PNG nor a JPEG
 */
export function readImages(data: unknown, maxImages: number): EncodedImage[] {
  if (!Array.isArray(data)) return [readImage(data, 'data')];
  if (data.length === 0 || data.length > maxImages) {
    throw new InputError(
      'data',
      `Expected from 1 to ${maxImages} images in one request but received ${data.length}.`,
    );
  }
  return data.map((entry, index) => readImage(entry, `data[${index}]`));
}

/** What of a request's `data` is images: of a form, its part or parts `image`. */
export function imagesOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'image' in data ? data.image : data;
}

function readImage(text: unknown, path: string): EncodedImage {
  if (text instanceof Uint8Array) return checkedImage(Buffer.from(text), path);
  if (typeof text !== 'string') {
    const received = text === null ? 'null' : typeof text;
    throw new InputError(path, `Expected an image as a base64 string but received ${received}.`);
  }
  if (!base64.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
    throw new InputError(
      path,
      'Expected an image as a base64 string (standard or URL-safe, without line breaks or a "data:" ' +
        'prefix) but received text that is not base64.',
    );
  }
  // Node's decoder takes both alphabets.
  return checkedImage(Buffer.from(text, 'base64'), path);
}

function checkedImage(bytes: Buffer, path: string): EncodedImage {
  if (!startsWith(bytes, pngSignature) && !startsWith(bytes, jpegSignature)) {
    throw new InputError(
      path,
      `Expected a PNG or a JPEG image but received ${bytes.length} bytes that begin like neither.`,
    );
  }
  return { path, bytes };
}

function startsWith(bytes: Buffer, signature: Buffer): boolean {
  return bytes.subarray(0, signature.length).equals(signature);
}

/**
 * Decodes an image to RGB as a viewer would show it: turned as its EXIF orientation says, and on white
 * where it is transparent.
 *
 * @throws InputError where the image is damaged or has more than `maxPixels` pixels
 */
export async function decodeImage(image: EncodedImage, maxPixels: number): Promise<Pixels> {
  // The limit is checked here rather than by sharp, so that the message can say what came.
  const decoder = sharp(image.bytes, { failOn: 'error', limitInputPixels: false });
  const { width, height } = await decoded(image, decoder.metadata());
  if (width * height > maxPixels) {
    throw new InputError(
      image.path,
      `Expected an image of at most ${maxPixels} pixels but received one of ${width} × ${height}.`,
    );
  }
  const upright = decoder.autoOrient().flatten({ background: 'white' }).toColourspace('srgb');
  const { data, info } = await decoded(image, upright.raw().toBuffer({ resolveWithObject: true }));
  return { width: info.width, height: info.height, data };
}

async function decoded<T>(image: EncodedImage, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      image.path,
      `The image could not be decoded (${reason.replace(/[\s:.]+$/, '')}).`,
    );
  }
}
