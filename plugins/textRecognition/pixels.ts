/** A picture as 8-bit RGB, one pixel after another, rows from the top. */
export interface Pixels {
  width: number;
  height: number;
  /** [height, width, 3] */
  data: Uint8Array;
}

/**
 * Writes a picture as the PP-OCR models take it, into `target` from `offset` on: planes of blue, green
 * and red, [3, height, rowLength], with 0…255 mapped to −1…1. Columns beyond the picture's own width
 * keep what they hold.
 */
export function writePlanes(
  pixels: Pixels,
  target: Float32Array,
  offset: number,
  rowLength: number,
): void {
  const { width, height, data } = pixels;
  for (let plane = 0; plane < 3; plane++) {
    const channel = 2 - plane;
    for (let y = 0; y < height; y++) {
      const row = offset + (plane * height + y) * rowLength;
      let source = y * width * 3 + channel;
      for (let x = 0; x < width; x++, source += 3) target[row + x] = data[source]! / 127.5 - 1;
    }
  }
}
