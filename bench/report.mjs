import { partNames, partTitles } from './report/results.mjs';
import { pausesLine } from './serving/pauses.mjs';

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

/** @param {Awaited<ReturnType<typeof import('./engine/index.mjs').benchEngine>>} results */
export function engineTables({ calls, types, sharing }) {
  return [callTable(calls), typeTable(types), sharingTables(sharing)];
}

/** @param {readonly import('./engine/callBench.mjs').EngineResult[]} results */
function callTable(results) {
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

/** @param {readonly import('./engine/typeBench.mjs').TypeResult[]} results */
function typeTable(results) {
  return [
    'Element types: an identity over small and large tensors, one thread, microseconds',
    '',
    table(
      ['type', 'elements', 'outputs', 'C loop', 'CloudEasyML', 'over C', 'onnxruntime-node', '×'],
      results.map((result) => [
        result.type,
        String(result.elements),
        outputsTitle[result.outputs],
        figure(result.cLoopUs.median),
        figure(result.cloudeasymlUs.median),
        figure(result.overCLoopUs.median),
        result.onnxruntimeNodeUs ? figure(result.onnxruntimeNodeUs.median) : 'refused',
        result.timesAsFast ? figure(result.timesAsFast.median) : '',
      ]),
    ),
    ...refusalsOf(results),
  ].join('\n');
}

/** @param {readonly import('./engine/typeBench.mjs').TypeResult[]} results */
function refusalsOf(results) {
  const lines = results.flatMap(({ type, refusal }) =>
    refusal ? [`onnxruntime-node, ${type}: ${refusal.split('\n')[0]}`] : [],
  );
  return [...new Set(lines)];
}

/** @param {readonly import('./engine/sharingBench.mjs').SharingResult[]} results */
function sharingTables(results) {
  const mb = (/** @type {Spread} */ { median }) => `${Math.round(median / 2 ** 20)} MB`;
  return [
    'One model in K threads of a process at once',
    ...results.map(({ title, modelBytes, runners }) =>
      [
        '',
        table(
          [
            `${title}, ${(modelBytes / 2 ** 20).toFixed(1)} MB`,
            'threads',
            'runs/s',
            'times one (min–max)',
            'resident',
            'of it for the model',
          ],
          runners.flatMap((runner) =>
            runner.points.map((point) => [
              runner.title,
              String(point.workers),
              String(Math.round(point.runsPerSecond.median)),
              times(point.timesOneWorker),
              mb(point.residentBytes),
              mb(point.modelResidentBytes),
            ]),
          ),
        ),
        ...runners.flatMap(({ title: name, refusal }) =>
          refusal ? [`${name}: ${refusal.split('\n')[0]}`] : [],
        ),
      ].join('\n'),
    ),
  ].join('\n');
}

/** @param {import('./serving/servingBench.mjs').ServingReport} serving */
export function servingTables(serving) {
  const { generator, closed, open, pauses, streams, idleConnections, skipped } = serving;
  return [
    [
      `Serving: POST /predict, JSON, closed loop by ${generator}, and the same over WebSockets by the bench's own generator; medians of rounds; CloudEasyML with key, rate limit and accounting`,
      ...closed.flatMap((result) => ['', closedTable(result)]),
    ].join('\n'),
    ...(open.length > 0
      ? [
          [
            'Serving: open loop, Poisson arrivals at shares of the peak; latency from the intended start, milliseconds, and its parts as p50 / p99',
            ...open.flatMap((result) => ['', openTable(result)]),
            ...(pauses ? ['', pausesLine(pauses)] : []),
          ].join('\n'),
        ]
      : []),
    streamTable(streams, idleConnections),
    ...(skipped.length > 0
      ? [skipped.map(({ title, reason }) => `Not measured: ${title}: ${reason}`).join('\n')]
      : []),
  ];
}

/** @param {Spread} spread of microseconds */
const ms = ({ median }) => figure(median / 1000);

/** @param {Spread} spread of a share */
const percent = ({ median }) => `${Math.round(median * 100)} %`;

/** @param {import('./serving/servingBench.mjs').ServingResult} result */
function closedTable({ title, connections, servers }) {
  const head = `${title}, ${connections} connection${connections === 1 ? '' : 's'}`;
  const hasSockets = servers.some(({ sockets }) => sockets);
  const cLoop = servers.find(({ name }) => name === 'cLoop');
  const rows = servers.map((server) => {
    const { cloudeasymlRatio, httpRatio, cLoopRatio } = server;
    const generator = server.generatorLoad ? percent(server.generatorLoad) : '';
    const ofCLoop = server.name === 'cloudeasyml' ? cLoop?.cloudeasymlRatio : cLoopRatio;
    return [
      ...(server.refusal
        ? [server.title, '–', '–', '–', '–', '']
        : [
            server.title,
            figure(server.requestsPerSecond.median),
            ...[server.p50Us, server.p90Us, server.p99Us].map(ms),
            cloudeasymlRatio ? times(cloudeasymlRatio) : '',
          ]),
      ...(hasSockets ? [httpRatio ? times(httpRatio) : ''] : []),
      ...(cLoop ? [ofCLoop ? times(ofCLoop) : ''] : []),
      generator,
    ];
  });
  const figures = [head, 'req/s', 'p50 ms', 'p90 ms', 'p99 ms', 'CloudEasyML is (min–max)'];
  const ratios = [...(hasSockets ? ['of HTTP'] : []), ...(cLoop ? ['of the C loop'] : [])];
  return [
    table([...figures, ...ratios, 'generator'], rows),
    ...servers.flatMap((server) => notReported(server.title, server.refusal)),
  ].join('\n');
}

/** @type {(what: string, refusal: string | undefined) => string[]} */
const notReported = (what, refusal) => (refusal ? [`Not reported: ${what}: ${refusal}`] : []);

/** @param {import('./serving/openLoop.mjs').OpenLoopResult} result */
function openTable({ title, serverTitle, peakOf, loads }) {
  // A server that tells nothing has no columns for it.
  const toldParts = partNames.filter((name) => loads.some(({ parts }) => parts[name]));
  const whose = peakOf ? `${peakOf}’s` : 'the';
  const share = (/** @type {number} */ value) => `${value * 100} % of ${whose} peak`;
  const middleAndTail = (
    /** @type {import('./serving/openLoop.mjs').Quantiles | undefined} */ part,
  ) => (part ? `${ms(part.p50Us)} / ${ms(part.p99Us)}` : '');
  const rows = loads.map(({ latency, parts, refusal, ...load }) => [
    share(load.share),
    figure(load.arrivalsPerSecond),
    ...(refusal
      ? ['–', '–', '–', '–', ...toldParts.map(() => '')]
      : [
          ...[latency.p50Us, latency.p90Us, latency.p99Us, latency.p999Us].map(ms),
          ...toldParts.map((name) => middleAndTail(parts[name])),
        ]),
    middleAndTail(load.generatorLateness),
    percent(load.generatorLoad),
  ]);
  const head = [`${title}, ${serverTitle}`, 'arrivals/s', 'p50', 'p90', 'p99', 'p99.9'];
  const parts = toldParts.map((name) => partTitles[name]);
  return [
    table([...head, ...parts, 'generator late', 'busy'], rows),
    ...loads.flatMap((load) => notReported(share(load.share), load.refusal)),
  ].join('\n');
}

/**
 * @param {readonly import('./serving/streams/streamLoops.mjs').StreamResult[]} streams
 * @param {import('./serving/streams/idleConnections.mjs').IdleConnections} idle
 */
function streamTable(streams, idle) {
  const rows = streams.map((result) => [
    result.title,
    String(result.streams),
    ...(result.refusal
      ? ['–', '–', '–']
      : [
          figure(result.outputsPerSecond.median),
          ms(result.firstOutputP50Us),
          ms(result.firstOutputP99Us),
        ]),
    percent(result.generatorLoad),
  ]);
  const mb = (/** @type {Spread} */ bytes) => `${figure(bytes.median / 2 ** 20)} MB`;
  const kb = (/** @type {number} */ bytes) => figure(bytes / 1024);
  const { median, min, max } = idle.bytesPerConnection;
  return [
    'Streams over WebSockets, closed loop; medians of rounds',
    '',
    table(['plugin', 'at once', 'outputs/s', 'first p50 ms', 'first p99 ms', 'generator'], rows),
    ...streams.flatMap((result) =>
      notReported(`${result.title}, ${result.streams} at once`, result.refusal),
    ),
    '',
    `Idle WebSockets: the server holds ${mb(idle.residentBefore)} with none, ${mb(idle.resident)} with ${idle.connections} and ${mb(idle.residentTwice)} with twice as many, ${kb(median)} KB more for each of the latter (${kb(min)}–${kb(max)})`,
  ].join('\n');
}

/** @param {import('./serving/overload.mjs').OverloadResult} overload */
export function overloadTable({ title, deadlineMs, capacity, loads }) {
  const share = (/** @type {number} */ value) => `${value.toFixed(1)} times the capacity`;
  const rows = loads.map((load) => [
    share(load.share),
    figure(load.arrivalsPerSecond.median),
    ...(load.refusal
      ? ['–', '–', '–', '–', '–']
      : [
          figure(load.goodput.median),
          times(load.ofCapacity),
          percent(load.refused),
          load.refusalP50Us ? ms(load.refusalP50Us) : '',
          percent(load.late),
        ]),
    percent(load.generatorLoad),
  ]);
  return [
    `Overload: ${title}, a deadline of ${deadlineMs} ms; it can do ${figure(capacity.median)} requests per second; Poisson arrivals`,
    '',
    table(
      ['load', 'arrivals/s', 'in time/s', 'of the capacity', 'refused', 'p50 ms', 'late', 'busy'],
      rows,
    ),
    ...loads.flatMap((load) => notReported(share(load.share), load.refusal)),
  ].join('\n');
}

/** @param {readonly import('./targets.mjs').Target[]} targets */
export function targetTable(targets) {
  return table(
    ['target', 'expected', 'found', ''],
    targets.map(({ what, expected, found, verdict }) => [what, expected, found, verdict]),
  );
}
