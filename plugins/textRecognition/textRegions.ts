import { grow, type Point, type Rectangle, smallestRectangle } from './boxes.js';

export interface RegionSettings {
  threshold: number;
  boxThreshold: number;
  unclipRatio: number;
}

/** Regions thinner than this, in pixels of the map, are noise: no model reads text that small. */
const minThickness = 3;

/**
 * Finds the lines of text in the probability map of a DB network (Liao et al., "Real-time Scene Text
 * Detection with Differentiable Binarization", 2020). The network marks each line's shrunken core, so
 * that lines that touch stay apart. A core is a connected group of pixels above `threshold`; its
 * smallest rectangle is kept where the mean probability in it reaches `boxThreshold`, and each side is
 * then moved outwards by area · unclipRatio / perimeter, which undoes the shrinking.
 *
 * @param map probabilities, [height, width]
 * @returns rectangles in the map's pixels
 */
export function findTextRegions(
  map: Float32Array,
  width: number,
  height: number,
  settings: RegionSettings,
): Rectangle[] {
  const regions: Rectangle[] = [];
  for (const outline of outlines(map, width, height, settings.threshold)) {
    const core = smallestRectangle(outline);
    if (Math.min(core.width, core.height) < minThickness) continue;
    if (meanWithin(core, map, width, height) < settings.boxThreshold) continue;
    const distance =
      (core.width * core.height * settings.unclipRatio) / (2 * (core.width + core.height));
    regions.push(grow(core, distance));
  }
  return regions;
}

/**
 * The outer corners of the leftmost and the rightmost pixel of each row, for each group of pixels
 * above the threshold that touch by a side or a corner. The group's convex hull needs no more.
 */
function* outlines(
  map: Float32Array,
  width: number,
  height: number,
  threshold: number,
): Generator<Point[]> {
  const seen = new Uint8Array(map.length);
  const leftmost = new Int32Array(height);
  const rightmost = new Int32Array(height);
  const pending: number[] = [];
  const visit = (x: number, y: number) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = y * width + x;
    if (seen[at] || map[at]! <= threshold) return;
    seen[at] = 1;
    pending.push(at);
  };

  for (let start = 0; start < map.length; start++) {
    if (seen[start] || map[start]! <= threshold) continue;
    const top = Math.floor(start / width);
    let bottom = top;
    leftmost.fill(width, top);
    rightmost.fill(-1, top);
    visit(start % width, top);
    while (pending.length > 0) {
      const at = pending.pop()!;
      const y = Math.floor(at / width);
      const x = at - y * width;
      bottom = Math.max(bottom, y);
      leftmost[y] = Math.min(leftmost[y]!, x);
      rightmost[y] = Math.max(rightmost[y]!, x);
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) visit(x + dx, y + dy);
    }
    const outline: Point[] = [];
    for (let y = top; y <= bottom; y++) {
      const [left, right] = [leftmost[y]!, rightmost[y]! + 1];
      outline.push([left, y], [right, y], [left, y + 1], [right, y + 1]);
    }
    yield outline;
  }
}

/** The mean of the map over the pixels whose centres lie in the rectangle. */
function meanWithin(
  rectangle: Rectangle,
  map: Float32Array,
  width: number,
  height: number,
): number {
  const { center, direction } = rectangle;
  const [halfWidth, halfHeight] = [rectangle.width / 2, rectangle.height / 2];
  const reachX = Math.abs(direction[0]) * halfWidth + Math.abs(direction[1]) * halfHeight;
  const reachY = Math.abs(direction[1]) * halfWidth + Math.abs(direction[0]) * halfHeight;
  let sum = 0;
  let pixels = 0;
  const bottom = Math.min(height, Math.ceil(center[1] + reachY));
  const right = Math.min(width, Math.ceil(center[0] + reachX));
  for (let y = Math.max(0, Math.floor(center[1] - reachY)); y < bottom; y++) {
    for (let x = Math.max(0, Math.floor(center[0] - reachX)); x < right; x++) {
      const [dx, dy] = [x + 0.5 - center[0], y + 0.5 - center[1]];
      if (Math.abs(dx * direction[0] + dy * direction[1]) > halfWidth) continue;
      if (Math.abs(dy * direction[0] - dx * direction[1]) > halfHeight) continue;
      sum += map[y * width + x]!;
      pixels++;
    }
  }
  return pixels > 0 ? sum / pixels : 0;
}
