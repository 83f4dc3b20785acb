// Charts as SVG: drawn for the width of a phone, so that they stay readable there; a page lays several
// side by side where it is wider. Colours come from the page's style (style.mjs) by class.
import { escaped, figure } from './text.mjs';

const width = 400;

/**
 * @typedef {object} Bar
 * @property {string} title
 * @property {number} value
 * @property {string} text behind the bar
 * @property {'own' | 'peer' | 'ceiling'} kind
 *
 * @typedef {object} Line
 * @property {string} title
 * @property {number} color its place in the palette; 0 is this package's
 * @property {[number, number][]} points x ascending
 */

/** @param {number} height @param {string} label @param {string} content */
const svg = (height, label, content) =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">${content}</svg>`;

const rowHeight = 38;
const barHeight = 14;

/**
 * A bar under each title, all on one scale from 0.
 *
 * @param {string} label what the chart shows, for those who can't see it
 * @param {readonly Bar[]} bars
 */
export function barChart(label, bars) {
  const most = Math.max(...bars.map(({ value }) => value));
  const textWidth = Math.max(...bars.map(({ text }) => text.length)) * 6.6 + 8;
  const rows = bars.map(({ title, value, text, kind }, index) => {
    const y = index * rowHeight;
    const length = Math.max(1, (value / most) * (width - textWidth));
    return (
      `<g class="${kind}"><title>${escaped(`${title}: ${text}`)}</title>` +
      `<text x="0" y="${y + 12}">${escaped(title)}</text>` +
      `<rect class="bar" x="0" y="${y + 17}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>` +
      `<text class="value" x="${(length + 6).toFixed(1)}" y="${y + 28.5}">${escaped(text)}</text></g>`
    );
  });
  return svg(bars.length * rowHeight, label, rows.join(''));
}

const plot = { left: 44, right: 18, top: 10, height: 190, bottom: 36 };

/**
 * @param {string} label what the chart shows, for those who can't see it
 * @param {{ x: string, y: string, logarithmic: boolean }} axes
 * @param {readonly Line[]} lines
 */
export function lineChart(label, axes, lines) {
  const points = lines.flatMap((line) => line.points);
  const x = scale([0, Math.max(...points.map(([value]) => value))], false, [
    plot.left,
    width - plot.right,
  ]);
  const values = points.map(([, value]) => value);
  const y = scale(
    axes.logarithmic ? [Math.min(...values), Math.max(...values)] : [0, Math.max(...values)],
    axes.logarithmic,
    [plot.top + plot.height, plot.top],
  );
  const legendTop = plot.top + plot.height + plot.bottom + 6;
  const content = [
    ...y.ticks.map(
      (tick) =>
        `<line class="grid" x1="${plot.left}" x2="${width - plot.right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>` +
        `<text class="tick" text-anchor="end" x="${plot.left - 6}" y="${y.at(tick) + 4}">${short(tick)}</text>`,
    ),
    ...x.ticks.map(
      (tick) =>
        `<text class="tick" text-anchor="middle" x="${x.at(tick)}" y="${plot.top + plot.height + 16}">${short(tick)}</text>`,
    ),
    `<text class="axis" text-anchor="end" x="${width - plot.right}" y="${plot.top + plot.height + 32}">${escaped(axes.x)}</text>`,
    `<text class="axis" x="0" y="${plot.top + plot.height + 32}">${escaped(axes.y)}</text>`,
    ...lines.map((line, index) => drawLine(line, x, y, legendTop + index * 18)),
  ];
  return svg(legendTop + lines.length * 18, label, content.join(''));
}

/**
 * @param {Line} line
 * @param {Scale} x
 * @param {Scale} y
 * @param {number} legendY
 */
function drawLine({ title, color, points }, x, y, legendY) {
  const places = points.map(([px, py]) => `${x.at(px)},${y.at(py)}`).join(' ');
  const dots = points.map(
    ([px, py]) =>
      `<circle cx="${x.at(px)}" cy="${y.at(py)}" r="3.5"><title>${escaped(
        `${title}: ${figure(py)} at ${figure(px)}`,
      )}</title></circle>`,
  );
  return (
    `<g class="line color${color}"><polyline points="${places}"/>${dots.join('')}` +
    `<line x1="0" x2="18" y1="${legendY + 4}" y2="${legendY + 4}"/>` +
    `<text x="24" y="${legendY + 8}">${escaped(title)}</text></g>`
  );
}

/**
 * @typedef {{ at: (value: number) => number, ticks: number[] }} Scale
 *
 * @type {(domain: [number, number], logarithmic: boolean, to: [number, number]) => Scale}
 */
function scale([low, high], logarithmic, [start, end]) {
  const ticks = logarithmic ? decades(low, high) : roundSteps(high);
  const transform = logarithmic ? Math.log10 : (/** @type {number} */ value) => value;
  const from = transform(/** @type {number} */ (ticks[0]));
  const to = transform(/** @type {number} */ (ticks.at(-1)));
  return {
    ticks,
    at: (value) =>
      Math.round((start + ((transform(value) - from) / (to - from)) * (end - start)) * 10) / 10,
  };
}

/** 1, 2 and 5 times powers of ten around [low, high]. @param {number} low @param {number} high */
function decades(low, high) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high * 10; power++) {
    for (const step of [1, 2, 5]) all.push(step * 10 ** power);
  }
  const first = all.findLastIndex((tick) => tick <= low);
  const last = all.findIndex((tick) => tick >= high && tick > low);
  return all.slice(first, last + 1);
}

/** At most six steps from 0 to at least `high`; whole ones, since what is drawn so is counted. @param {number} high */
function roundSteps(high) {
  const raw = high / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const round = ([1, 2, 2.5, 5, 10].find((each) => each * power >= raw) ?? 10) * power;
  const step = Math.max(1, round);
  return Array.from({ length: Math.ceil(high / step) + 1 }, (_, index) => index * step);
}

/** @param {number} value */
function short(value) {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return String(Number(value.toPrecision(3)));
}
