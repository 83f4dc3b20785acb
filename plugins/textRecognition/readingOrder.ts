import { type Box, boxHeight, boxWidth, type Point } from './boxes.js';

/**
 * Sorts lines as they are read: rows from top to bottom, and from left to right within a row, where
 * "right" is the direction in which most of the text runs, so that a turned page is read as if it
 * stood upright.
 */
export function inReadingOrder<Line extends { box: Box }>(lines: readonly Line[]): Line[] {
  if (lines.length < 2) return [...lines];
  const [ux, uy] = mainDirection(lines.map((line) => line.box));
  const placed = lines
    .map((line) => {
      const [x, y] = middle(line.box);
      return { line, along: x * ux + y * uy, across: y * ux - x * uy };
    })
    .sort((a, b) => a.across - b.across);

  const rows: (typeof placed)[] = [];
  for (const item of placed) {
    const row = rows.at(-1);
    const last = row?.at(-1);
    const sameRow =
      last &&
      item.across - last.across < Math.min(boxHeight(item.line.box), boxHeight(last.line.box)) / 2;
    if (row && sameRow) row.push(item);
    else rows.push([item]);
  }
  return rows.flatMap((row) => row.sort((a, b) => a.along - b.along).map((item) => item.line));
}

/**
 * The unit vector along which most of the text runs. Each line votes by its length for the nearest
 * quarter turn; the mean over the winner's lines is not pulled aside by a label that stands across.
 */
function mainDirection(boxes: readonly Box[]): Point {
  const votes = [0, 1, 2, 3].map(() => ({ length: 0, x: 0, y: 0 }));
  for (const box of boxes) {
    const [x, y] = [box[1][0] - box[0][0], box[1][1] - box[0][1]];
    const vote = votes[Math.round(Math.atan2(y, x) / (Math.PI / 2)) & 3]!;
    vote.length += boxWidth(box);
    vote.x += x;
    vote.y += y;
  }
  const winner = votes.reduce((best, vote) => (vote.length > best.length ? vote : best));
  const length = Math.hypot(winner.x, winner.y) || 1;
  return [winner.x / length, winner.y / length];
}

function middle([a, , c]: Box): Point {
  return [(a[0] + c[0]) / 2, (a[1] + c[1]) / 2];
}
