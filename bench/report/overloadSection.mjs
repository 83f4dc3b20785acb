import { htmlTable } from './htmlTable.mjs';
import { escaped, figure, milliseconds, range } from './text.mjs';

/** @param {import('../serving/overload.mjs').OverloadResult} overload */
export function overloadSection({ title, deadlineMs, capacity, loads }) {
  const percent = (/** @type {import('./results.mjs').Spread} */ { median }) =>
    `${Math.round(median * 100)} %`;
  const table = htmlTable(
    [
      'times the capacity',
      'arrivals/s',
      'in time/s',
      'of the capacity',
      'refused',
      'refusal p50 ms',
      'late',
    ],
    loads.map((load) => ({
      cells: [
        load.share.toFixed(1),
        figure(load.arrivalsPerSecond.median),
        ...(load.refusal
          ? [`<span class="soft">${escaped(load.refusal)}</span>`, '', '', '', '']
          : [
              figure(load.goodput.median),
              `${figure(load.ofCapacity.median)} (${range(load.ofCapacity)})`,
              percent(load.refused),
              load.refusalP50Us ? milliseconds(load.refusalP50Us.median) : '',
              percent(load.late),
            ]),
      ],
    })),
    escaped(`${title}: at most ${figure(capacity.median)} req/s, a deadline of ${deadlineMs} ms`),
  );
  return `<h2>Overload</h2><p>Open loop at and above what the server can do. A request that can’t be answered in time is refused at once, so that those that are taken still are.</p>${table}`;
}
