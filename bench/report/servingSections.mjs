import { barChart, lineChart } from './charts.mjs';
import { card, cards, details, htmlTable } from './htmlTable.mjs';
import { mainLoops } from './results.mjs';
import { colors } from './style.mjs';
import { escaped, figure, milliseconds, range, ratio } from './text.mjs';

/**
 * @typedef {import('./results.mjs').ClosedLoop} ClosedLoop
 * @typedef {import('./results.mjs').OpenLoop} OpenLoop
 * @typedef {import('./results.mjs').Server} Server
 */

/** @param {NonNullable<import('./results.mjs').Results['serving']>} serving */
export function servingSections({ generator, closed, open, skipped }) {
  return [
    '<h2>Throughput by model</h2>',
    `<p>POST /predict with JSON, closed loop by ${escaped(generator)}: each connection sends its next request when its answer has come. The ratio says how many times that server’s requests CloudEasyML answered. Pale bars are ceilings: they run no model, or no server.</p>`,
    cards(mainLoops(closed).map(throughputCard)),
    details('All figures, by number of connections', closed.map(closedTable).join('\n')),
    ...skippedList(skipped),
    ...openSection(open),
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
    reported.map(({ title, kind, requestsPerSecond, cloudeasymlRatio }) => ({
      title,
      kind,
      value: requestsPerSecond.median,
      text: `${figure(requestsPerSecond.median)} req/s${cloudeasymlRatio ? ` (${ratio(cloudeasymlRatio)})` : ''}`,
    })),
  );
}

/** @param {ClosedLoop} loop */
function closedTable({ title, connections, servers }) {
  return htmlTable(
    ['server', 'req/s', 'p50 ms', 'p90 ms', 'p99 ms', 'CloudEasyML is', 'min–max', 'generator'],
    servers.map((server) => ({ kind: server.kind, cells: serverCells(server) })),
    `${escaped(title)}, ${connectionsText(connections)}`,
  );
}

/** @param {Server} server */
function serverCells(server) {
  const { title, kind, refusal, cloudeasymlRatio } = server;
  const load = server.generatorLoad;
  const generator = load ? `${Math.round(load.median * 100)} %` : '';
  if (refusal) {
    return [
      escaped(title),
      '',
      '',
      '',
      '',
      `<span class="soft">${escaped(refusal)}</span>`,
      '',
      generator,
    ];
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
    generator,
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

/** @param {readonly OpenLoop[]} open */
function openSection(open) {
  if (open.length === 0) return [];
  const servers = [...new Set(open.map(({ server }) => server))];
  const colorOf = (/** @type {string} */ server) => servers.indexOf(server) % colors;
  const models = [...new Set(open.map(({ model }) => model))];
  return [
    '<h2>Latency against load</h2>',
    '<p>Open loop: requests arrive at random moments at a fixed mean rate (Poisson), at shares of what each server can do at most, and latency counts from the moment at which a request was meant to start. A server that falls behind can’t slow its clients down here.</p>',
    cards(
      models.flatMap((model) => {
        const loops = open.filter((loop) => loop.model === model);
        return latencyCards(loops, colorOf);
      }),
    ),
    details('All figures, by share of the peak', open.map(openTable).join('\n')),
  ];
}

/**
 * @param {readonly OpenLoop[]} loops of one model
 * @param {(server: string) => number} colorOf
 */
function latencyCards(loops, colorOf) {
  return /** @type {const} */ (['p99Us', 'p50Us']).flatMap((quantile) => {
    const lines = loops.map(({ server, serverTitle, loads }) => ({
      title: serverTitle,
      color: colorOf(server),
      points: loads
        .filter(({ refusal }) => refusal === undefined)
        .map(
          ({ arrivalsPerSecond, latency }) =>
            /** @type {[number, number]} */ ([arrivalsPerSecond, latency[quantile].median / 1000]),
        ),
    }));
    const drawn = lines.filter(({ points }) => points.length > 0);
    if (drawn.length === 0) return [];
    const name = quantile.slice(0, 3);
    const title = `${loops[0]?.title}: ${name}`;
    const axes = { x: 'requests arriving per second', y: `${name}, ms`, logarithmic: true };
    return [card(escaped(title), lineChart(`${title} against load`, axes, drawn))];
  });
}

/** @param {OpenLoop} loop */
function openTable({ title, serverTitle, peakRequestsPerSecond, loads }) {
  return htmlTable(
    [
      'load',
      'arrivals/s',
      'answers/s',
      'p50 ms',
      'p90 ms',
      'p99 ms',
      'p99.9 ms',
      'p99 ÷ p50',
      'compute p50',
      'rest p50',
      'generator p50',
    ],
    loads.map((load) => ({ cells: openCells(load) })),
    `${escaped(serverTitle)}, ${escaped(title)}: at most ${figure(peakRequestsPerSecond)} req/s`,
  );
}

/** @param {import('./results.mjs').OpenLoad} load */
function openCells({ share, arrivalsPerSecond, answersPerSecond, latency, parts, refusal }) {
  const percent = `${Math.round(share * 100)} %`;
  if (refusal) return [percent, figure(arrivalsPerSecond), escaped(refusal)];
  const p50 = (/** @type {import('./results.mjs').Quantiles | undefined} */ part) =>
    part ? milliseconds(part.p50Us.median) : '';
  return [
    percent,
    figure(arrivalsPerSecond),
    figure(answersPerSecond.median),
    milliseconds(latency.p50Us.median),
    milliseconds(latency.p90Us.median),
    milliseconds(latency.p99Us.median),
    milliseconds(latency.p999Us.median),
    figure(latency.p99Us.median / latency.p50Us.median),
    p50(parts.compute),
    p50(parts.rest),
    p50(parts.generator),
  ];
}
