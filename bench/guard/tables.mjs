import { table } from '../report.mjs';

const partTitle = { engine: 'engine', onnxRuntime: 'ONNX Runtime' };

/** @param {readonly import('./compare.mjs').Comparison[]} comparison */
export function instructionTable(comparison) {
  return [
    'Instructions per request',
    '',
    table(
      ['script', 'part', 'recorded', 'found', 'change', ''],
      comparison.map(({ script, part, recorded, found, verdict }) => [
        script,
        partTitle[part],
        Number.isNaN(recorded) ? '' : String(recorded),
        String(found),
        Number.isNaN(recorded) ? '' : `${((found / recorded - 1) * 100).toFixed(1)} %`,
        verdict,
      ]),
    ),
  ].join('\n');
}

/** @param {readonly import('./callCounts.mjs').CallCounts[]} counts */
export function callTable(counts) {
  const number = (/** @type {number} */ value) => value.toFixed(value < 100 ? 2 : 0);
  return [
    'Calls per request of a server with one worker',
    '',
    table(
      [
        'thread',
        'calls from JS',
        'Node-API calls',
        'allocations',
        'engine’s',
        'ONNX Runtime’s',
        'wake-ups',
        'bytes copied',
      ],
      counts.flatMap(({ script, connections, frontEnd, worker }) => {
        const load = `${script}, ${connections} connection${connections === 1 ? '' : 's'}`;
        return Object.entries({ 'front end': frontEnd, worker }).map(([thread, each]) => [
          `${load}: ${thread}`,
          ...[
            each.entries,
            each.napiCalls,
            each.allocations,
            each.engineAllocations,
            each.onnxRuntimeAllocations,
            each.wakeUps,
            each.bytesCopied,
          ].map(number),
        ]);
      }),
    ),
  ].join('\n');
}
