// One generator of an open loop: `node openLoad.mjs <OpenLoadOrder as JSON file>`. Sends requests at the
// moments of a Poisson process, whatever becomes of the earlier ones, over keep-alive connections of one
// request at a time. Writes each request's times to a file, prints OpenLoadSummary as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { seededRandom } from '../models/random.mjs';
import { clockOffsetMs } from './clock.mjs';
import { AnswerParser, requestBytes } from './rawHttp.mjs';

/**
 * @typedef {object} OpenLoadOrder
 * @property {import('./loadGenerator.mjs').LoadRequest} request
 * @property {number} arrivalsPerSecond
 * @property {number} seconds
 * @property {number} connections
 * @property {number} seed
 * @property {string} timesFile float64: for each answered request its latency, the time from its
 *   intended start until its bytes were written, the generator's lateness, and the server's queue, batch
 *   and compute (NaN where it tells none), all in microseconds
 *
 * @typedef {object} OpenLoadSummary
 * @property {number} answered
 * @property {number} failures
 * @property {number} seconds from the first intended start to the last answer
 * @property {number} generatorLoad busy share of this thread's event loop
 * @property {string} [failure] the first one
 */

/** How long answers may take after the last arrival. */
const drainSeconds = 10;

/** @type {OpenLoadOrder} */
const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const { request, arrivalsPerSecond, seconds, seed, timesFile } = order;

const arrivals = poissonArrivals();
const fields = 6;
const times = new Float64Array(arrivals.length * fields);
const bytes = requestBytes(request);
const { hostname, port } = new URL(request.url);

let answered = 0;
let failures = 0;
/** @type {string | undefined} */
let failure;
/** The next arrival that nobody has come to yet. */
let next = 0;
/** Arrivals that wait for a connection are from here to `next`. */
let unsent = 0;
/** When the generator came to each arrival, ms. */
const noticedAt = new Float64Array(arrivals.length);
/** The first arrival's moment on performance.now()'s clock. */
let origin = 0;
let lastAnswer = 0;

/** @type {Connection[]} */
const free = [];

class Connection {
  #arrival = -1;
  #sentAt = 0;
  #parser = new AnswerParser((status, times) => this.#answered(status, times));

  constructor() {
    this.socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.on('data', (chunk) => this.#parser.read(chunk));
    this.socket.on('error', (error) => this.#fail(error.message));
    this.socket.on('close', () => this.#fail('The server closed the connection.'));
  }

  /** @param {number} arrival */
  send(arrival) {
    this.#arrival = arrival;
    this.#sentAt = performance.now();
    this.socket.write(bytes);
  }

  /** @type {(status: number, times: import('./rawHttp.mjs').ServerTimes) => void} */
  #answered(status, { queue, batch, compute }) {
    const now = performance.now();
    const intended = origin + (arrivals[this.#arrival] ?? 0);
    if (status !== 200) {
      failures++;
      failure ??= `The server answered ${status}.`;
    } else {
      const noticed = noticedAt[this.#arrival] ?? 0;
      const at = answered++ * fields;
      times[at] = toUs(now - intended);
      times[at + 1] = toUs(this.#sentAt - intended);
      times[at + 2] = toUs(noticed - intended);
      times[at + 3] = toUs(queue);
      times[at + 4] = toUs(batch);
      times[at + 5] = toUs(compute);
    }
    lastAnswer = now;
    this.#arrival = -1;
    if (unsent < next) this.send(unsent++);
    else free.push(this);
    if (answered + failures === arrivals.length) finish();
  }

  /** @param {string} message */
  #fail(message) {
    if (finished) return;
    failure ??= message;
    finish();
  }
}

let finished = false;
const connections = Array.from({ length: order.connections }, () => new Connection());
await Promise.all(
  connections.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))),
);
free.push(...connections);

const ticker = new Worker(new URL('arrivalTicker.mjs', import.meta.url), {
  workerData: { arrivals },
});
const loopBefore = performance.eventLoopUtilization();
ticker.on('message', (/** @type {{ origin?: number, pending?: Int32Array }} */ message) => {
  if (message.origin !== undefined) origin = message.origin - clockOffsetMs();
  if (message.pending) Atomics.store(message.pending, 0, 0);
  sendDue();
});
setTimeout(finish, (seconds + drainSeconds) * 1000);

function sendDue() {
  const now = performance.now();
  while (next < arrivals.length && origin + (arrivals[next] ?? 0) <= now) noticedAt[next++] = now;
  while (unsent < next) {
    const connection = free.pop();
    if (!connection) return;
    connection.send(unsent++);
  }
}

function finish() {
  if (finished) return;
  finished = true;
  // What has no answer by now counts as a failure: leaving it out would flatter the tail.
  failures = arrivals.length - answered;
  if (failures > 0) failure ??= `No answer came within ${drainSeconds} s after the last arrival.`;
  writeFileSync(timesFile, times.subarray(0, answered * fields));
  const { utilization } = performance.eventLoopUtilization(loopBefore);
  const summary = {
    answered,
    failures,
    failure,
    seconds: (lastAnswer - origin) / 1000,
    generatorLoad: utilization,
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`, () => process.exit(0));
}

/** @param {number} ms */
function toUs(ms) {
  return ms * 1000;
}

/** Milliseconds from the first, gaps exponentially distributed. @returns {Float64Array} */
function poissonArrivals() {
  const random = seededRandom(seed);
  const moments = [0];
  for (let at = 0; ; ) {
    at += (-Math.log(1 - random()) / arrivalsPerSecond) * 1000;
    if (at >= seconds * 1000) break;
    moments.push(at);
  }
  return Float64Array.from(moments);
}
