import { barChart } from './charts.mjs';
import { card, cards, details, htmlTable } from './htmlTable.mjs';
import { openSection } from './openSection.mjs';
import { mainLoops } from './results.mjs';
import { streamSection } from './streamSection.mjs';
import { escaped, figure, milliseconds, range, ratio } from './text.mjs';

/**
 * @typedef {import('./results.mjs').ClosedLoop} ClosedLoop
 * @typedef {import('./results.mjs').Server} Server
 */

/** @param {import('./results.mjs').Serving} serving */
export function servingSections({
  generator,
  closed,
  open,
  pauses,
  skipped,
  streams = [],
  idleConnections,
}) {
  return [
    '<h2>Throughput by model</h2>',
    `<p>POST /predict with JSON, closed loop by ${escaped(generator)}: each connection sends its next request when its answer has come. The ratio says how many times that server’s requests CloudEasyML answered. Over WebSockets as many requests are in flight, on a few connections; that ratio is to CloudEasyML over HTTP. Pale bars are ceilings: they run no model, or no server.</p>`,
    cards(mainLoops(closed).map(throughputCard)),
    details('All figures, by number of connections', closed.map(closedTable).join('\n')),
    ...skippedList(skipped),
    ...openSection(open, pauses),
    ...streamSection(streams, idleConnections),
  ].join('\n');
}

/** @param {number} count */
const connectionsText = (count) => `${count} connection${count === 1 ? '' : 's'}`;

/** @param {ClosedLoop} loop */
function throughputCard({ title, connections, servers }) {
  const label = `${title}, ${connectionsText(connections)}`;
  return card(escaped(label), throughputBars(label, servers));
}

/** @param {string} label @param {readonly Server[]} servers */
export function throughputBars(label, servers) {
  const reported = servers.filter(({ refusal }) => refusal === undefined);
  if (reported.length === 0) return '<p class="soft">No server has a figure.</p>';
  return barChart(
    `Requests per second: ${label}`,
    reported.map((server) => ({
      title: server.title,
      kind: server.kind,
      value: server.requestsPerSecond.median,
      text: `${figure(server.requestsPerSecond.median)} req/s${ratioNote(server)}`,
    })),
  );
}

/** @param {Server} server */
function ratioNote({ cloudeasymlRatio, httpRatio }) {
  if (httpRatio) return ` (${ratio(httpRatio)} HTTP)`;
  return cloudeasymlRatio ? ` (${ratio(cloudeasymlRatio)})` : '';
}

/** @param {ClosedLoop} loop */
function closedTable({ title, connections, servers }) {
  const cLoop = servers.find(({ name }) => name === 'cLoop');
  const hasSockets = servers.some(({ sockets }) => sockets);
  const figures = ['server', 'req/s', 'p50 ms', 'p90 ms', 'p99 ms', 'CloudEasyML is', 'min–max'];
  const more = [...(hasSockets ? ['of HTTP'] : []), ...(cLoop ? ['of the C loop'] : [])];
  return htmlTable(
    [...figures, ...more, 'generator'],
    servers.map((server) => {
      const ofCLoop = server.name === 'cloudeasyml' ? cLoop?.cloudeasymlRatio : server.cLoopRatio;
      return {
        kind: server.kind,
        cells: [
          ...serverCells(server),
          ...(hasSockets ? [ratioAndRange(server.httpRatio)] : []),
          ...(cLoop ? [ratioAndRange(ofCLoop)] : []),
          server.generatorLoad ? `${Math.round(server.generatorLoad.median * 100)} %` : '',
        ],
      };
    }),
    `${escaped(title)}, ${connectionsText(connections)}`,
  );
}

/** @param {import('./results.mjs').Spread | undefined} spread */
const ratioAndRange = (spread) => (spread ? `${ratio(spread)} (${range(spread)})` : '');

/** @param {Server} server */
function serverCells(server) {
  const { title, kind, refusal, cloudeasymlRatio } = server;
  if (refusal) {
    return [escaped(title), '', '', '', '', `<span class="soft">${escaped(refusal)}</span>`, ''];
  }
  const ahead = cloudeasymlRatio && cloudeasymlRatio.median >= 1 ? 'good' : 'bad';
  return [
    escaped(title),
    figure(server.requestsPerSecond.median),
    milliseconds(server.p50Us.median),
    milliseconds(server.p90Us.median),
    milliseconds(server.p99Us.median),
    cloudeasymlRatio
      ? `<span${kind === 'peer' ? ` class="${ahead}"` : ''}>${ratio(cloudeasymlRatio)}</span>`
      : '',
    cloudeasymlRatio ? range(cloudeasymlRatio) : '',
  ];
}

/** @param {readonly import('./results.mjs').SkippedPeer[]} skipped */
function skippedList(skipped) {
  if (skipped.length === 0) return [];
  const items = skipped.map(
    ({ title, reason }) => `<li>${escaped(title)}: ${escaped(reason)}</li>`,
  );
  return [`<p>Not measured:</p><ul class="soft">${items.join('')}</ul>`];
}
