import { type InferenceSession, Tensor } from 'cloudeasyml';
import sharp from 'sharp';
import { asTextLine, type Box, corners, mapBox } from './boxes.js';
import { type Pixels, writePlanes } from './pixels.js';
import { findTextRegions, type RegionSettings } from './textRegions.js';

export interface DetectionSettings extends RegionSettings {
  /** Pixels; images with a longer side are scaled down to it. */
  maxSideLength: number;
}

/** The network halves its input five times, so both sides must divide by 2⁵. */
const stride = 32;

/** Border around the image: the network misses text that touches the edge. */
const margin = 16;

/**
 * Finds the lines of text in an image.
 *
 * @param session the PP-OCR detection model: [1, 3, height, width] → [1, 1, height, width]
 * @returns boxes in the image's pixels, in no particular order; the text may still be upside down
 */
export async function detectLines(
  session: InferenceSession,
  image: Pixels,
  settings: DetectionSettings,
): Promise<Box[]> {
  const scale = Math.min(1, settings.maxSideLength / Math.max(image.width, image.height));
  const input = await fitted(image, scale);
  const planes = new Float32Array(3 * input.width * input.height);
  writePlanes(input, planes, 0, input.width);
  const feed = new Tensor('float32', planes, [1, 3, input.height, input.width]);
  const output = session.run({ [session.inputs[0]!.name]: feed })[session.outputs[0]!.name]!;

  const map = output.data as Float32Array;
  return findTextRegions(map, input.width, input.height, settings).map((region) =>
    mapBox(corners(asTextLine(region)), ([x, y]) => [(x - margin) / scale, (y - margin) / scale]),
  );
}

/** The image scaled and set in a border of its own edge's colours, which holds no edge to mistake for text. */
async function fitted(image: Pixels, scale: number): Promise<Pixels> {
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const roundUp = (length: number) => Math.ceil(length / stride) * stride;
  const { data, info } = await sharp(image.data, {
    raw: { width: image.width, height: image.height, channels: 3 },
    limitInputPixels: false,
  })
    .resize(width, height, { fit: 'fill' })
    .extend({
      left: margin,
      top: margin,
      right: roundUp(width + 2 * margin) - width - margin,
      bottom: roundUp(height + 2 * margin) - height - margin,
      extendWith: 'copy',
    })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}
