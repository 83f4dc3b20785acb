/**
 * The run's figures as text.
 *
 * @typedef {import('./statistics.mjs').Spread} Spread
 */

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows the first column is text, the others figures
 */
export function table(head, rows) {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (/** @type {readonly string[]} */ row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join(
    '\n',
  );
}

/** Three or four digits, whatever the size. @param {number} value */
function figure(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : 2);
}

/** @param {Spread} spread */
const times = ({ median, min, max }) => `${figure(median)}× (${figure(min)}–${figure(max)})`;

const outputsTitle = { allocated: 'allocated', owned: 'caller’s' };

/** @param {readonly import('./engine/engineBench.mjs').EngineResult[]} results */
export function engineTable(results) {
  return [
    'Engine: one call of run(), one thread, microseconds; medians of rounds',
    '',
    table(
      [
        'model',
        'outputs',
        'C loop',
        'CloudEasyML',
        'over C',
        'onnxruntime-node',
        'times as fast (min–max)',
      ],
      results.map((result) => [
        result.title,
        outputsTitle[result.outputs],
        figure(result.cLoopUs.median),
        figure(result.cloudeasymlUs.median),
        figure(result.overCLoopUs.median),
        figure(result.onnxruntimeNodeUs.median),
        times(result.timesAsFast),
      ]),
    ),
  ].join('\n');
}

/** @param {import('./serving/servingBench.mjs').ServingReport} report */
export function servingTables({ generator, results }) {
  return [
    `Serving: POST /predict, JSON, closed loop by ${generator}; medians of rounds; CloudEasyML with key, rate limit and accounting`,
    ...results.map(({ title, connections, servers }) =>
      [
        '',
        table(
          [
            `${title}, ${connections} connection${connections === 1 ? '' : 's'}`,
            'req/s',
            'p50 ms',
            'p90 ms',
            'p99 ms',
            'CloudEasyML is (min–max)',
            'generator',
          ],
          servers.map(serverRow),
        ),
      ].join('\n'),
    ),
  ].join('\n');
}

/** @param {import('./serving/servingBench.mjs').ServerResult} server */
function serverRow(server) {
  const generator = `${Math.round(server.generatorLoad.median * 100)} %`;
  if (server.refusal)
    return [server.title, '', '', '', '', `not reported: ${server.refusal}`, generator];
  const ms = (/** @type {Spread} */ { median }) => figure(median / 1000);
  return [
    server.title,
    String(Math.round(server.requestsPerSecond.median)),
    ms(server.p50Us),
    ms(server.p90Us),
    ms(server.p99Us),
    server.cloudeasymlRatio ? times(server.cloudeasymlRatio) : '',
    generator,
  ];
}

/** @param {readonly import('./targets.mjs').Target[]} targets */
export function targetTable(targets) {
  return table(
    ['target', 'expected', 'found', ''],
    targets.map(({ what, expected, found, verdict }) => [what, expected, found, verdict]),
  );
}
