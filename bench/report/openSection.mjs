import { pausesLine } from '../serving/pauses.mjs';
import { lineChart } from './charts.mjs';
import { card, cards, details, htmlTable } from './htmlTable.mjs';
import { partNames, partTitles } from './results.mjs';
import { colors } from './style.mjs';
import { escaped, figure, milliseconds } from './text.mjs';

/** @typedef {import('./results.mjs').OpenLoop} OpenLoop */

/**
 * @param {readonly OpenLoop[]} open
 * @param {import('../serving/pauses.mjs').Pauses} [pauses]
 */
export function openSection(open, pauses) {
  if (open.length === 0) return [];
  const servers = [...new Set(open.map(({ server }) => server))];
  const colorOf = (/** @type {string} */ server) => servers.indexOf(server) % colors;
  const models = [...new Set(open.map(({ model }) => model))];
  return [
    '<h2>Latency against load</h2>',
    '<p>Open loop: requests arrive at random moments at a fixed mean rate (Poisson), at shares of what each server can do at most (of what CloudEasyML can, where a table says so), and latency counts from the moment at which a request was meant to start. A server that falls behind can’t slow its clients down here.</p>',
    ...(pauses ? [`<p>${escaped(pausesLine(pauses))}</p>`] : []),
    cards(
      models.flatMap((model) => {
        const loops = open.filter((loop) => loop.model === model);
        return [...latencyCards(loops, colorOf), ...partCards(loops)];
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

/**
 * Where the time of the middle request goes, by load. Microseconds, since most parts are a few.
 *
 * @param {readonly OpenLoop[]} loops of one model
 */
function partCards(loops) {
  return loops.flatMap(({ title, serverTitle, loads }) => {
    const reported = loads.filter(({ refusal }) => refusal === undefined);
    if (!reported.some(({ parts }) => parts.queue)) return [];
    const lines = partNames.map((name, color) => ({
      title: partTitles[name],
      color,
      points: reported.flatMap(({ arrivalsPerSecond, parts }) => {
        const part = parts[name];
        // What is left of a latency may come out a little below nothing.
        const p50 = Math.max(0, part?.p50Us.median ?? 0);
        return part ? [/** @type {[number, number]} */ ([arrivalsPerSecond, p50])] : [];
      }),
    }));
    const label = `${title}, ${serverTitle}: where the median goes`;
    const axes = { x: 'requests arriving per second', y: 'p50, µs', logarithmic: false };
    return [card(escaped(label), lineChart(`${label}, against load`, axes, lines))];
  });
}

/** @param {OpenLoop} loop */
function openTable({ title, serverTitle, peakOf, peakRequestsPerSecond, loads }) {
  const most = peakOf ? `at shares of ${peakOf}’s peak,` : 'at most';
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
      ...partNames.map((name) => `${partTitles[name]} p50 / p99`),
    ],
    loads.map((load) => ({ cells: openCells(load) })),
    escaped(`${serverTitle}, ${title}: ${most} ${figure(peakRequestsPerSecond)} req/s`),
  );
}

/** @param {import('./results.mjs').OpenLoad} load */
function openCells({ share, arrivalsPerSecond, answersPerSecond, latency, parts, refusal }) {
  const percent = `${Math.round(share * 100)} %`;
  if (refusal) return [percent, figure(arrivalsPerSecond), escaped(refusal)];
  const middleAndTail = (/** @type {import('./results.mjs').Quantiles | undefined} */ part) =>
    part ? `${milliseconds(part.p50Us.median)} / ${milliseconds(part.p99Us.median)}` : '';
  return [
    percent,
    figure(arrivalsPerSecond),
    figure(answersPerSecond.median),
    milliseconds(latency.p50Us.median),
    milliseconds(latency.p90Us.median),
    milliseconds(latency.p99Us.median),
    milliseconds(latency.p999Us.median),
    figure(latency.p99Us.median / latency.p50Us.median),
    ...partNames.map((name) => middleAndTail(parts[name])),
  ];
}
