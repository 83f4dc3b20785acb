import { barChart } from './charts.mjs';
import { card, cards, details, htmlTable } from './htmlTable.mjs';
import { escaped, figure, mebibytes, milliseconds, range } from './text.mjs';

/** @typedef {import('./results.mjs').StreamLoop} StreamLoop */

/**
 * @param {readonly StreamLoop[]} streams
 * @param {import('./results.mjs').IdleConnections | undefined} idle
 */
export function streamSection(streams, idle) {
  if (streams.length === 0) return [];
  const plugins = [...new Set(streams.map(({ model }) => model))];
  return [
    '<h2>Streams</h2>',
    '<p>Streams side by side over WebSockets, each begun when the one before it has ended; outputs of all together, and the time from a stream’s opening to its first output.</p>',
    cards(plugins.flatMap((plugin) => rateCard(streams.filter(({ model }) => model === plugin)))),
    details('All figures, by number of streams', streamTable(streams)),
    ...(idle ? [idleText(idle)] : []),
  ];
}

/** @param {number} count */
const streamsText = (count) => `${count} stream${count === 1 ? '' : 's'}`;

/** @param {readonly StreamLoop[]} loops of one plugin */
function rateCard(loops) {
  const reported = loops.filter(({ refusal }) => refusal === undefined);
  const [first] = reported;
  if (!first) return [];
  const label = `${first.title}: outputs per second`;
  const bars = reported.map(({ streams, outputsPerSecond, firstOutputP50Us }) => ({
    title: streamsText(streams),
    kind: /** @type {const} */ ('own'),
    value: outputsPerSecond.median,
    text: `${figure(outputsPerSecond.median)}/s, first ${milliseconds(firstOutputP50Us.median)} ms`,
  }));
  return [card(escaped(label), barChart(label, bars))];
}

/** @param {readonly StreamLoop[]} streams */
function streamTable(streams) {
  return htmlTable(
    [
      'plugin',
      'at once',
      'outputs of each',
      'outputs/s',
      'min–max',
      'first p50 ms',
      'first p99 ms',
      'generator',
    ],
    streams.map((loop) => ({
      cells: [
        escaped(loop.title),
        streamsText(loop.streams),
        figure(loop.outputsPerStream),
        ...(loop.refusal
          ? [`<span class="soft">${escaped(loop.refusal)}</span>`, '', '', '']
          : [
              figure(loop.outputsPerSecond.median),
              range(loop.outputsPerSecond),
              milliseconds(loop.firstOutputP50Us.median),
              milliseconds(loop.firstOutputP99Us.median),
            ]),
        `${Math.round(loop.generatorLoad.median * 100)} %`,
      ],
    })),
  );
}

/** @param {import('./results.mjs').IdleConnections} idle */
function idleText({ connections, residentBefore, resident, residentTwice, bytesPerConnection }) {
  const kibibytes = figure(bytesPerConnection.median / 1024);
  const [none, all, twice] = [residentBefore, resident, residentTwice].map(({ median }) =>
    mebibytes(median),
  );
  return `<p>Idle WebSockets: the server’s process holds ${none} with none, ${all} with ${figure(connections)} and ${twice} with twice as many, ${kibibytes} KiB more for each of the latter.</p>`;
}
