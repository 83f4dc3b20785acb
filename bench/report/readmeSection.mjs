import { barChart } from './charts.mjs';
import { kinds, machineLine, mainLoops } from './results.mjs';
import { chartStyle } from './style.mjs';
import { escaped, figure, ratio } from './text.mjs';

export const begin = '<!-- bench:begin: made by npm run bench:readme -->';
export const end = '<!-- bench:end -->';

/**
 * Puts a section between the markers of a README.
 *
 * @param {string} readme
 * @param {string} section
 * @throws Error where the markers are missing
 */
export function withSection(readme, section) {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) {
    throw new Error(`Expected the lines "${begin}" and "${end}" in the README, in this order.`);
  }
  return `${readme.slice(0, from + begin.length)}\n\n${section}\n\n${readme.slice(to)}`;
}

/**
 * The benchmark's table in Markdown, a row for each server and a column for each model, and the chart.
 *
 * @param {import('./results.mjs').Results} results
 * @param {string} chart the image's path from the README
 */
export function readmeSection(results, chart) {
  const loops = loopsOf(results);
  const servers = new Map(
    loops.flatMap(({ servers: all }) => all.map((server) => [server.name, server])),
  );
  const sorted = [...servers.values()].sort(
    (one, other) => kinds.indexOf(one.kind) - kinds.indexOf(other.kind),
  );
  const rows = sorted.map(({ name, title, kind }) => {
    const cells = loops.map(({ servers: all }) => cell(all.find((server) => server.name === name)));
    return `| ${kind === 'own' ? `**${title}**` : escaped(title)} | ${cells.join(' | ')} |`;
  });
  const counts = [...new Set(loops.map(({ connections }) => connections))].join(' or ');
  return [
    `Requests per second, \`POST /predict\` with JSON, ${counts} connections; in brackets how many times as many`,
    `CloudEasyML answered in the same run.${socketNote(sorted)}`,
    '',
    `| server | ${loops.map(({ title }) => escaped(title)).join(' | ')} |`,
    `|---|${loops.map(() => '--:|').join('')}`,
    ...rows,
    '',
    `![Requests per second by model and server](${chart})`,
    '',
    ...results.warnings.map((warning) => `> ${escaped(warning)}\n`),
    `${escaped(machineLine(results))}. Measure on your own machine: [docs/benchmarks.md](docs/benchmarks.md).`,
  ].join('\n');
}

/** @param {readonly import('./results.mjs').Server[]} servers */
function socketNote(servers) {
  const sockets = Math.max(0, ...servers.map((server) => server.sockets ?? 0));
  return sockets > 0 ? ` Over WebSockets as many are in flight, on ${sockets} connections.` : '';
}

/** @param {import('./results.mjs').Server | undefined} server */
function cell(server) {
  if (!server || server.refusal) return '';
  const { requestsPerSecond, cloudeasymlRatio, kind } = server;
  const text = figure(requestsPerSecond.median);
  if (kind === 'own') return `**${text}**`;
  return cloudeasymlRatio ? `${text} (${ratio(cloudeasymlRatio)})` : text;
}

/**
 * The README's chart: an SVG file of its own, light or dark as the reader's system is.
 *
 * @param {import('./results.mjs').Results} results
 */
export function readmeChart(results) {
  const width = 400;
  let top = 0;
  const panels = loopsOf(results).map(({ title, connections, servers }) => {
    const bars = servers
      .filter(({ refusal }) => refusal === undefined)
      .map(({ title: name, kind, requestsPerSecond }) => ({
        title: name,
        kind,
        value: requestsPerSecond.median,
        text: `${figure(requestsPerSecond.median)} req/s`,
      }));
    const chart = barChart(title, bars);
    const height = Number(/viewBox="0 0 \d+ (\d+)"/.exec(chart)?.[1]);
    const panel =
      `<text class="note" x="0" y="${top + 14}">${escaped(title)}, ${connections} connections</text>` +
      chart.replace('<svg ', `<svg x="0" y="${top + 24}" width="${width}" height="${height}" `);
    top += height + 48;
    return panel;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 ${width + 16} ${top}" width="${width * 1.6}"><title>Requests per second by model and server</title>` +
    `<style>${chartStyle}</style>${panels.join('')}</svg>\n`
  );
}

/** @param {import('./results.mjs').Results} results */
function loopsOf({ serving }) {
  const loops = mainLoops(serving?.closed ?? []);
  if (loops.length > 0) return loops;
  throw new Error('The results hold no closed loops: run the bench with its serving part.');
}
