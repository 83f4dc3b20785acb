import type { Box } from './boxes.js';
import type { Pixels } from './pixels.js';

/**
 * Cuts a box out of an image and straightens it to a given size. The corners of a rectangle determine
 * an affine map, so three of them suffice. A pixel of the crop is the mean of as many bilinear samples
 * as it covers pixels of the image, which keeps large text from aliasing; beyond the image's edge the
 * edge goes on.
 */
export function cropBox(image: Pixels, box: Box, width: number, height: number): Pixels {
  const [[x0, y0], [x1, y1], , [x3, y3]] = box;
  const columns = Math.max(1, Math.round(Math.hypot(x1 - x0, y1 - y0) / width));
  const rows = Math.max(1, Math.round(Math.hypot(x3 - x0, y3 - y0) / height));
  const sum = new Float64Array(3);
  const data = new Uint8Array(width * height * 3);
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sum.fill(0);
      for (let row = 0; row < rows; row++) {
        const v = (y + (row + 0.5) / rows) / height;
        for (let column = 0; column < columns; column++) {
          const u = (x + (column + 0.5) / columns) / width;
          addSample(
            image,
            x0 + u * (x1 - x0) + v * (x3 - x0),
            y0 + u * (y1 - y0) + v * (y3 - y0),
            sum,
          );
        }
      }
      for (let channel = 0; channel < 3; channel++) {
        data[target++] = Math.round(sum[channel]! / (rows * columns));
      }
    }
  }
  return { width, height, data };
}

function addSample({ width, height, data }: Pixels, x: number, y: number, sum: Float64Array): void {
  // A pixel's colour is that of its centre, half a pixel from its coordinates.
  const cx = Math.min(Math.max(x - 0.5, 0), width - 1);
  const cy = Math.min(Math.max(y - 0.5, 0), height - 1);
  const left = Math.floor(cx);
  const top = Math.floor(cy);
  const fx = cx - left;
  const fy = cy - top;
  const upper = (top * width + left) * 3;
  const lower = top + 1 < height ? upper + width * 3 : upper;
  const right = left + 1 < width ? 3 : 0;
  for (let channel = 0; channel < 3; channel++) {
    const a = data[upper + channel]! * (1 - fx) + data[upper + right + channel]! * fx;
    const b = data[lower + channel]! * (1 - fx) + data[lower + right + channel]! * fx;
    sum[channel]! += a * (1 - fy) + b * fy;
  }
}
