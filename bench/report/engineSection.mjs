import { barChart, lineChart } from './charts.mjs';
import { card, cards, details, htmlTable } from './htmlTable.mjs';
import { escaped, figure, mebibytes, range, ratio } from './text.mjs';

const outputsTitle = { allocated: 'allocated', owned: 'caller’s' };

/** @param {NonNullable<import('./results.mjs').Results['engine']>} engine */
export function engineSection({ calls, types, sharing }) {
  return [
    '<h2>One call of the engine</h2>',
    '<p>Microseconds of one <code>run()</code> on one thread, outputs allocated for each call. The C loop is ONNX Runtime’s own Run in C++: the least that a call can cost.</p>',
    cards(calls.filter(({ outputs }) => outputs === 'allocated').map(callCard)),
    details('All calls', callTable(calls)),
    ...(types.length > 0 ? [details('Element types', typeTable(types))] : []),
    ...(sharing.length > 0 ? [sharingSection(sharing)] : []),
  ].join('\n');
}

/** @param {import('./results.mjs').Call} call */
function callCard({ title, cLoopUs, cloudeasymlUs, onnxruntimeNodeUs, timesAsFast }) {
  /** @type {(title: string, kind: 'own' | 'peer' | 'ceiling', value: number, note?: string) => import('./charts.mjs').Bar} */
  const bar = (name, kind, value, note = '') => ({
    title: name,
    kind,
    value,
    text: `${figure(value)} µs${note}`,
  });
  const bars = [
    bar('C loop', 'ceiling', cLoopUs.median),
    bar('CloudEasyML', 'own', cloudeasymlUs.median),
    bar('onnxruntime-node', 'peer', onnxruntimeNodeUs.median, ` (${ratio(timesAsFast)})`),
  ];
  return card(escaped(title), barChart(`Microseconds of a call: ${title}`, bars));
}

/** @param {readonly import('./results.mjs').Call[]} calls */
function callTable(calls) {
  return htmlTable(
    [
      'model',
      'outputs',
      'C loop µs',
      'CloudEasyML µs',
      'over C µs',
      'onnxruntime-node µs',
      'times as fast',
      'min–max',
    ],
    calls.map((call) => ({
      cells: [
        escaped(call.title),
        outputsTitle[call.outputs],
        figure(call.cLoopUs.median),
        figure(call.cloudeasymlUs.median),
        figure(call.overCLoopUs.median),
        figure(call.onnxruntimeNodeUs.median),
        ratio(call.timesAsFast),
        range(call.timesAsFast),
      ],
    })),
  );
}

/** @param {readonly import('./results.mjs').TypeCall[]} types */
function typeTable(types) {
  const median = (/** @type {import('./results.mjs').Spread | undefined} */ spread) =>
    spread ? figure(spread.median) : '';
  return htmlTable(
    [
      'type',
      'elements',
      'outputs',
      'C loop µs',
      'CloudEasyML µs',
      'onnxruntime-node µs',
      'times as fast',
    ],
    types.map((call) => ({
      cells: [
        escaped(call.type),
        call.elements.toLocaleString('en-US'),
        outputsTitle[call.outputs],
        median(call.cLoopUs),
        figure(call.cloudeasymlUs.median),
        call.refusal
          ? `<span class="soft">${escaped(call.refusal)}</span>`
          : median(call.onnxruntimeNodeUs),
        call.timesAsFast ? ratio(call.timesAsFast) : '',
      ],
    })),
  );
}

const runnerColors = new Map([
  ['cloudeasyml', 0],
  ['onnxruntimeNode', 1],
  ['cLoop', 9],
]);

/** @param {readonly import('./results.mjs').Sharing[]} sharing */
function sharingSection(sharing) {
  const charts = sharing.flatMap(({ title, runners }) => {
    const lines = runners
      .filter(({ points }) => points.length > 0)
      .map(({ name, title: runner, points }) => ({
        title: runner,
        color: runnerColors.get(name) ?? 2,
        points: points.map(
          ({ workers, runsPerSecond }) =>
            /** @type {[number, number]} */ ([workers, runsPerSecond.median]),
        ),
      }));
    const axes = { x: 'workers', y: 'runs per second', logarithmic: false };
    return lines.length > 0
      ? [card(escaped(title), lineChart(`Runs per second by workers: ${title}`, axes, lines))]
      : [];
  });
  return [
    '<h2>Workers and memory</h2>',
    '<p>One model run by several threads of a process at once. CloudEasyML’s workers share a session; onnxruntime-node’s have one each.</p>',
    cards(charts),
    details('All figures', sharing.map(sharingTable).join('\n')),
  ].join('\n');
}

/** @param {import('./results.mjs').Sharing} sharing */
function sharingTable({ title, modelBytes, runners }) {
  const bytes = (/** @type {import('./results.mjs').Spread | undefined} */ spread) =>
    spread ? mebibytes(spread.median) : '';
  return htmlTable(
    ['', 'workers', 'runs/s', 'times one worker', 'memory', 'of it the model’s'],
    runners.flatMap(({ title: runner, points, refusal }) => {
      if (refusal) return [{ cells: [escaped(runner), escaped(refusal)] }];
      return points.map((point) => ({
        cells: [
          escaped(runner),
          String(point.workers),
          figure(point.runsPerSecond.median),
          ratio(point.timesOneWorker),
          bytes(point.residentBytes),
          bytes(point.modelResidentBytes),
        ],
      }));
    }),
    `${escaped(title)}, a file of ${mebibytes(modelBytes)}`,
  );
}
