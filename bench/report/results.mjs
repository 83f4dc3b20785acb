import { readFileSync } from 'node:fs';

/**
 * What `npm run bench -- --json <file>` writes; bench/results.schema.json describes it.
 *
 * @typedef {{ median: number, min: number, max: number }} Spread
 * @typedef {{ p50Us: Spread, p90Us: Spread, p99Us: Spread, p999Us: Spread }} Quantiles
 *
 * @typedef {object} Results
 * @property {2} schemaVersion
 * @property {string} date
 * @property {string} mode
 * @property {Machine} machine
 * @property {{ calls: Call[], types: TypeCall[], sharing: Sharing[] }} [engine]
 * @property {Serving} [serving]
 * @property {import('../serving/overload.mjs').OverloadResult} [overload] none in older files
 * @property {Target[]} targets
 * @property {string[]} warnings
 *
 * @typedef {object} Serving
 * @property {string} generator
 * @property {ClosedLoop[]} closed
 * @property {OpenLoop[]} open
 * @property {import('../serving/pauses.mjs').Pauses} [pauses] none in older files
 * @property {SkippedPeer[]} skipped
 * @property {StreamLoop[]} [streams] none in older files
 * @property {IdleConnections} [idleConnections] likewise
 *
 * @typedef {object} Machine
 * @property {string} cpu
 * @property {number} cores
 * @property {string} system
 * @property {string} node
 * @property {string} onnxRuntime
 * @property {number} loadBefore
 * @property {Record<string, string>} settings
 * @property {{ server: string, generator: string } | null} pinning
 * @property {{ server: string, generator: string } | null} [openPinning]
 *
 * @typedef {object} Call
 * @property {string} title
 * @property {'allocated' | 'owned'} outputs
 * @property {Spread} cLoopUs
 * @property {Spread} cloudeasymlUs
 * @property {Spread} onnxruntimeNodeUs
 * @property {Spread} overCLoopUs
 * @property {Spread} timesAsFast
 *
 * @typedef {object} TypeCall
 * @property {string} type
 * @property {number} elements
 * @property {'allocated' | 'owned'} outputs
 * @property {Spread} cloudeasymlUs
 * @property {Spread} [cLoopUs]
 * @property {Spread} [onnxruntimeNodeUs]
 * @property {Spread} [timesAsFast]
 * @property {string} [refusal]
 *
 * @typedef {object} SharingPoint
 * @property {number} workers
 * @property {Spread} runsPerSecond
 * @property {Spread} timesOneWorker
 * @property {Spread} [residentBytes]
 * @property {Spread} [modelResidentBytes]
 *
 * @typedef {object} Sharing
 * @property {string} title
 * @property {number} modelBytes
 * @property {{ name: string, title: string, points: SharingPoint[], refusal?: string }[]} runners
 *
 * @typedef {object} Server
 * @property {string} name
 * @property {string} title
 * @property {'own' | 'peer' | 'ceiling'} kind
 * @property {Spread} requestsPerSecond
 * @property {Spread} p50Us
 * @property {Spread} p90Us
 * @property {Spread} p99Us
 * @property {Spread} [generatorLoad]
 * @property {string} [refusal]
 * @property {Spread} [cloudeasymlRatio]
 * @property {number} [sockets]
 * @property {Spread} [httpRatio]
 * @property {Spread} [cLoopRatio]
 *
 * @typedef {{ model: string, title: string, connections: number, servers: Server[] }} ClosedLoop
 *
 * @typedef {object} OpenLoad
 * @property {number} share
 * @property {number} arrivalsPerSecond
 * @property {Spread} answersPerSecond
 * @property {Quantiles} latency
 * @property {{ generator: Quantiles, queue?: Quantiles, batch?: Quantiles, compute?: Quantiles,
 *   rest?: Quantiles }} parts
 * @property {Spread} generatorLoad
 * @property {string} [refusal]
 *
 * @typedef {object} OpenLoop
 * @property {string} model
 * @property {string} title
 * @property {string} server
 * @property {string} serverTitle
 * @property {string} [peakOf]
 * @property {number} peakRequestsPerSecond
 * @property {OpenLoad[]} loads
 *
 * @typedef {object} StreamLoop
 * @property {string} model
 * @property {string} title
 * @property {number} streams
 * @property {number} sockets
 * @property {number} outputsPerStream
 * @property {Spread} outputsPerSecond
 * @property {Spread} firstOutputP50Us
 * @property {Spread} firstOutputP99Us
 * @property {Spread} generatorLoad
 * @property {string} [refusal]
 *
 * @typedef {object} IdleConnections
 * @property {number} connections
 * @property {Spread} residentBefore
 * @property {Spread} resident
 * @property {Spread} residentTwice
 * @property {Spread} bytesPerConnection
 *
 * @typedef {{ name: string, title: string, reason: string }} SkippedPeer
 * @typedef {{ what: string, expected: string, found: string, verdict: 'pass' | 'miss' | 'not measured' }} Target
 */

const schemaVersion = 2;

/** Of servers, in the order of tables. @type {Server['kind'][]} */
export const kinds = ['own', 'peer', 'ceiling'];

/** What a latency in the open loop is made of, as tables call it. */
export const partTitles = /** @type {const} */ ({
  generator: 'before send',
  queue: 'queue',
  batch: 'batch wait',
  compute: 'compute',
  rest: 'rest',
});
export const partNames = /** @type {(keyof typeof partTitles)[]} */ (Object.keys(partTitles));

/**
 * @param {string} file
 * @returns {Results}
 * @throws Error in one sentence where it is no results file of this schema's version
 */
export function readResults(file) {
  const results = JSON.parse(readFileSync(file, 'utf8'));
  if (results?.schemaVersion === schemaVersion) return results;
  throw new Error(
    `${file}: expected what npm run bench -- --json writes, schemaVersion ${schemaVersion}, but received ` +
      `schemaVersion ${results?.schemaVersion}.`,
  );
}

/**
 * The closed loops that stand for the run: one for each model, under the number of connections nearest to 64.
 *
 * @param {readonly ClosedLoop[]} closed
 */
export function mainLoops(closed) {
  /** @type {Map<string, ClosedLoop>} */
  const byModel = new Map();
  const distance = (/** @type {ClosedLoop} */ loop) => Math.abs(Math.log(loop.connections / 64));
  for (const loop of closed) {
    const known = byModel.get(loop.model);
    if (!known || distance(loop) < distance(known)) byModel.set(loop.model, loop);
  }
  return [...byModel.values()];
}

/** @param {Results} results */
export function machineLine({ date, machine }) {
  const { cpu, cores, system, node, onnxRuntime } = machine;
  return `${date.slice(0, 10)} · ${cpu}, ${cores} cores · ${system} · Node ${node} · ONNX Runtime ${onnxRuntime}`;
}
