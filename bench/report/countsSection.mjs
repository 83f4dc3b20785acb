import { htmlTable } from './htmlTable.mjs';
import { escaped, figure } from './text.mjs';

/**
 * What `npm run bench:guard` counts.
 *
 * @typedef {object} Counts
 * @property {{ architecture: string, compiler: string, onnxRuntime: string }} toolchain
 * @property {import('../guard/instructions.mjs').InstructionCount[]} instructions
 * @property {import('../guard/callCounts.mjs').CallCounts[]} [calls]
 */

/** @param {Counts} counts */
export function countsSection({ toolchain, instructions, calls = [] }) {
  return [
    '<h2>What a request costs, counted</h2>',
    `<p>Counts don’t depend on how fast or busy the machine is. ${escaped(`${toolchain.architecture} · ${toolchain.compiler} · ONNX Runtime ${toolchain.onnxRuntime}`)}</p>`,
    instructionTable(instructions),
    callTable(calls),
  ].join('\n');
}

/** @param {Counts['instructions']} instructions */
function instructionTable(instructions) {
  return htmlTable(
    ['script', 'engine', 'ONNX Runtime'],
    instructions.map(({ script, engine, onnxRuntime }) => ({
      cells: [escaped(script), figure(engine), figure(onnxRuntime)],
    })),
    'Instructions per request',
  );
}

/** @param {readonly import('../guard/callCounts.mjs').CallCounts[]} calls */
function callTable(calls) {
  if (calls.length === 0) return '';
  return htmlTable(
    [
      'load',
      'thread',
      'calls from JavaScript',
      'Node-API calls',
      'allocations',
      'by the engine',
      'by ONNX Runtime',
      'wake-ups of others',
      'bytes copied',
    ],
    calls.flatMap(({ script, connections, frontEnd, worker }) =>
      /** @type {const} */ ([
        ['front end', frontEnd],
        ['worker', worker],
      ]).map(([thread, counts]) => ({
        cells: [
          `${escaped(script)}, ${connections} connection${connections === 1 ? '' : 's'}`,
          thread,
          ...[
            counts.entries,
            counts.napiCalls,
            counts.allocations,
            counts.engineAllocations,
            counts.onnxRuntimeAllocations,
            counts.wakeUps,
            counts.bytesCopied,
          ].map(figure),
        ],
      })),
    ),
    'Per request of a server with one worker',
  );
}
