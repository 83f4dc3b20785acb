// Colours by class, for charts in the page and for the README's chart, light and dark.

const light = {
  ink: '#1c2430',
  soft: '#5c6675',
  edge: '#dde2ea',
  page: '#ffffff',
  card: '#f6f8fb',
  peer: '#9aa6b8',
  ceiling: '#d4dae4',
  good: '#157f4f',
  bad: '#c2372f',
};
const dark = {
  ink: '#e6eaf1',
  soft: '#9aa5b5',
  edge: '#303947',
  page: '#12161d',
  card: '#1a202a',
  peer: '#66738a',
  ceiling: '#3a4454',
  good: '#4cc38a',
  bad: '#ff7b72',
};
// The first is this package's. Told apart by those who see few colours too, on both grounds.
const palette = [
  '#2f7de1',
  '#e0791a',
  '#1a9e77',
  '#a463d3',
  '#d84c5c',
  '#7d8a1f',
  '#17a2b8',
  '#c65a9b',
  '#8d6e4a',
  '#7b8494',
];

/** Colours there are before they come again. */
export const colors = palette.length;

/** @param {Record<string, string>} values */
const variables = (values) =>
  Object.entries(values)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');

const root = `:root{color-scheme:light dark;${variables(light)};--own:${palette[0]}}
@media (prefers-color-scheme: dark){:root{${variables(dark)}}}`;

export const chartStyle = `${root}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
svg .tick,svg .axis,svg .value,svg .note{fill:var(--soft);font-size:11px}
svg .own text{font-weight:600}svg .own .value{fill:var(--ink)}
svg .own .bar{fill:var(--own)}svg .peer .bar{fill:var(--peer)}svg .ceiling .bar{fill:var(--ceiling)}
svg .grid{stroke:var(--edge)}
svg .line polyline{fill:none;stroke-width:2}svg .line>line{stroke-width:3}
${palette.map((color, index) => `svg .color${index}{stroke:${color}}svg .color${index} circle{fill:${color}}`).join('\n')}
svg .line text{stroke:none}svg .line circle{stroke:none}
svg .color0 text{font-weight:600}svg .color0 polyline{stroke-width:3}`;

export const pageStyle = `${chartStyle}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1280px;padding:16px;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.6rem;margin:.2em 0}h2{margin:2em 0 .3em;font-size:1.25rem}h3{margin:0 0 .6em;font-size:1rem}
p{margin:.4em 0;max-width:75ch}.soft{color:var(--soft);font-size:.9rem}
.cards{display:grid;gap:16px;grid-template-columns:repeat(auto-fill,minmax(min(100%,380px),1fr));margin:12px 0}
.card{background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:14px;min-width:0}
.card svg{width:100%;height:auto;display:block;max-width:520px}
.warning{border-left:4px solid var(--bad);padding:.3em .8em;background:var(--card);max-width:none}
.scroll{overflow-x:auto;margin:10px 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.88rem}
caption{text-align:left;font-weight:600;padding:.4em 0}
th,td{padding:.3em .7em;border-bottom:1px solid var(--edge);text-align:right;white-space:nowrap}
th{color:var(--soft);font-weight:500}
th:first-child,td:first-child{text-align:left;padding-left:0}
tr.own td{font-weight:600}tr.ceiling td{color:var(--soft)}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}
td .soft{font-size:.8rem}td.wrap{white-space:normal;min-width:18ch;text-align:left}
details{margin:8px 0}summary{cursor:pointer;color:var(--soft)}`;
