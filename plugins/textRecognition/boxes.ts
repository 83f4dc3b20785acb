/** In pixels; a pixel covers the square from its own coordinates to the next ones. */
export type Point = readonly [x: number, y: number];

/** A line's corners as its text is read: upper left, upper right, lower right, lower left. */
export type Box = readonly [Point, Point, Point, Point];

/** A rectangle that may stand at any angle. */
export interface Rectangle {
  center: Point;
  /** Unit vector along the width; the height runs a quarter turn clockwise from it. */
  direction: Point;
  width: number;
  height: number;
}

/** The convex hull, by Andrew's monotone chain; collinear points are left out. */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return [...chain(sorted), ...chain(sorted.reverse())];
}

function chain(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of points) {
    while (hull.length > 1 && turn(hull.at(-2)!, hull.at(-1)!, point) <= 0) hull.pop();
    hull.push(point);
  }
  hull.pop();
  return hull;
}

function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/**
 * The smallest rectangle around a set of points. One of its sides lies on an edge of the convex hull
 * (Freeman and Shapira, 1975), so every edge is tried.
 */
export function smallestRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points);
  let best: Rectangle | undefined;
  for (let i = 0; i < hull.length; i++) {
    const candidate = rectangleAlong(hull[i]!, hull[(i + 1) % hull.length]!, hull);
    if (!best || candidate.width * candidate.height < best.width * best.height) best = candidate;
  }
  if (!best) throw new RangeError('A rectangle needs at least one point.');
  return best;
}

function rectangleAlong(from: Point, to: Point, points: readonly Point[]): Rectangle {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of points) {
    const along = x * ux + y * uy;
    const across = y * ux - x * uy;
    left = Math.min(left, along);
    right = Math.max(right, along);
    top = Math.min(top, across);
    bottom = Math.max(bottom, across);
  }
  const [along, across] = [(left + right) / 2, (top + bottom) / 2];
  return {
    center: [along * ux - across * uy, along * uy + across * ux],
    direction: [ux, uy],
    width: right - left,
    height: bottom - top,
  };
}

/** A rectangle whose sides have each moved outwards by a distance. */
export function grow(rectangle: Rectangle, distance: number): Rectangle {
  return {
    ...rectangle,
    width: rectangle.width + 2 * distance,
    height: rectangle.height + 2 * distance,
  };
}

/** The same rectangle described from another of its corners, `quarters` quarter turns clockwise. */
function turned(rectangle: Rectangle, quarters: number): Rectangle {
  let { width, height, direction } = rectangle;
  for (let i = 0; i < quarters; i++) {
    direction = [-direction[1], direction[0]];
    [width, height] = [height, width];
  }
  return { center: rectangle.center, direction, width, height };
}

/**
 * The rectangle as a line of text is read in it: to the right where it lies, downwards where it is
 * at least half as tall again as it is wide. Which way up the text stands, the shape can't tell.
 */
export function asTextLine(rectangle: Rectangle): Rectangle {
  const [x, y] = rectangle.direction;
  const upright = turned(rectangle, Math.abs(x) >= Math.abs(y) ? (x >= 0 ? 0 : 2) : y < 0 ? 1 : 3);
  return upright.height >= 1.5 * upright.width ? turned(upright, 1) : upright;
}

export function corners({ center, direction, width, height }: Rectangle): Box {
  const [ax, ay] = [(direction[0] * width) / 2, (direction[1] * width) / 2];
  const [bx, by] = [(-direction[1] * height) / 2, (direction[0] * height) / 2];
  const [x, y] = center;
  return [
    [x - ax - bx, y - ay - by],
    [x + ax - bx, y + ay - by],
    [x + ax + bx, y + ay + by],
    [x - ax + bx, y - ay + by],
  ];
}

/** The box of the same text, once it is known to stand upside down. */
export function upsideDown([a, b, c, d]: Box): Box {
  return [c, d, a, b];
}

/** Cuts a box across its text into `count` boxes of one width. */
export function splitBox([a, b, c, d]: Box, count: number): Box[] {
  const between = (from: Point, to: Point, share: number): Point => [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
  ];
  return Array.from({ length: count }, (_, index) => {
    const [start, end] = [index / count, (index + 1) / count];
    return [between(a, b, start), between(a, b, end), between(d, c, end), between(d, c, start)];
  });
}

export function mapBox(box: Box, change: (point: Point) => Point): Box {
  return [change(box[0]), change(box[1]), change(box[2]), change(box[3])];
}

export function boxWidth([a, b]: Box): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

export function boxHeight([a, , , d]: Box): number {
  return Math.hypot(d[0] - a[0], d[1] - a[1]);
}
