// Closed loop over WebSockets: `node socketLoad.mjs <SocketOrder as JSON file>`. Each connection keeps a
// number of requests or streams in flight: as answers end some, as many begin, in one write. Prints
// SocketLoadSummary as JSON.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { quantile } from '../../statistics.mjs';
import { FrameRing, peekBytes, readAnswer } from './frameRing.mjs';
import { FrameHeads, Opcode, upgradeRequest } from './frames.mjs';
import { Kind } from './payloads.mjs';

/**
 * @typedef {object} SocketOrder
 * @property {string} url
 * @property {string} apiKey
 * @property {string} payloadFile a frame's payload, with the first id
 * @property {boolean} isBinary
 * @property {number} connections
 * @property {number} inFlight on each connection
 * @property {number} seconds
 *
 * @typedef {object} SocketLoadSummary
 * @property {number} requests answered within the time, those in flight at its end by the part of theirs
 *   that lay within it
 * @property {number} answered all, to the last
 * @property {number} outputs of streams, within the time
 * @property {number} failures
 * @property {string} [failure] the first one
 * @property {number} seconds
 * @property {number} cpuSeconds of this process within the time
 * @property {Times} latency
 * @property {Times} [firstOutput] of streams
 *
 * Quantiles in microseconds.
 * @typedef {{ p50Us: number, p90Us: number, p99Us: number }} Times
 */

/** How long what is in flight at the end may take. */
const drainSeconds = 60;
const readBytes = 256 * 1024;
const headersEnd = '\r\n\r\n';

/** @type {SocketOrder} */
const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const payload = { bytes: readFileSync(order.payloadFile), isBinary: order.isBinary };
const ring = new FrameRing(payload, order.inFlight);
const upgrade = upgradeRequest(order.url, order.apiKey);
const { hostname, port } = new URL(order.url);

let requests = 0;
let answered = 0;
let outputs = 0;
let failures = 0;
/** @type {string | undefined} */
let failure;
/** @type {number[]} */
const latencies = [];
/** @type {number[]} */
const firstOutputs = [];
let inFlight = 0;
/** When what is being read came: one look at the clock for all of it. */
let now = 0;
/** When the time is up; before that, infinity. */
let endedAt = Number.POSITIVE_INFINITY;

class Connection {
  /** By the ring's slots. */
  #sentAt = new Float64Array(ring.frames);
  #hasOutput = new Uint8Array(ring.frames);
  #next = 0;
  #due = 0;
  /** @type {string | undefined} what came of the answer to the upgrade */
  #greeting = '';
  #heads = new FrameHeads(peekBytes, (opcode, bytes, at) => this.#onMessage(opcode, bytes, at));

  constructor() {
    const buffer = Buffer.alloc(readBytes);
    const callback = (/** @type {number} */ length) => this.#read(buffer, length);
    const options = { host: hostname, port: Number(port), noDelay: true };
    this.socket = connect({ ...options, onread: { buffer, callback } });
    this.socket.write(upgrade);
    /** @type {Promise<void>} */
    this.opened = new Promise((resolve) => {
      this.onOpen = resolve;
    });
    this.socket.on('error', (error) => fail(error.message));
    this.socket.on('close', () => fail('The server closed the connection.'));
  }

  /** @param {number} count */
  send(count) {
    inFlight += count;
    const sentAt = performance.now();
    for (let left = count; left > 0; ) {
      const part = Math.min(left, ring.frames - this.#next);
      this.socket.write(ring.range(this.#next, part));
      this.#sentAt.fill(sentAt, this.#next, this.#next + part);
      this.#next = (this.#next + part) % ring.frames;
      left -= part;
    }
  }

  /** @type {(bytes: Buffer, length: number) => boolean} */
  #read(bytes, length) {
    now = performance.now();
    if (this.#greeting !== undefined) {
      this.#greet(bytes.toString('latin1', 0, length));
      return true;
    }
    this.#heads.read(bytes, length);
    const due = this.#due;
    this.#due = 0;
    inFlight -= due;
    if (endedAt === Number.POSITIVE_INFINITY) this.send(due);
    else if (inFlight === 0) finish();
    return true;
  }

  /** @param {string} text nothing else comes before the first request */
  #greet(text) {
    this.#greeting += text;
    if (!this.#greeting?.endsWith(headersEnd)) return;
    if (!this.#greeting.startsWith('HTTP/1.1 101 ')) fail(this.#greeting);
    this.#greeting = undefined;
    this.onOpen?.();
  }

  /** @type {(opcode: number, bytes: Buffer, payloadAt: number) => void} */
  #onMessage(opcode, bytes, payloadAt) {
    if (opcode !== Opcode.text && opcode !== Opcode.binary) return;
    const { slot, kind } = readAnswer(opcode, bytes, payloadAt);
    const sentAt = this.#sentAt[slot] ?? now;
    if (kind === Kind.output) {
      if (now <= endedAt) outputs++;
      if (this.#hasOutput[slot]) return;
      this.#hasOutput[slot] = 1;
      if (now <= endedAt) firstOutputs.push(now - sentAt);
      return;
    }
    this.#due++;
    this.#hasOutput[slot] = 0;
    if (kind !== Kind.done) {
      failures++;
      failure ??= bytes.toString('utf8', payloadAt, payloadAt + 300);
      return;
    }
    answered++;
    if (now <= endedAt) {
      requests++;
      latencies.push(now - sentAt);
    } else {
      requests += (endedAt - sentAt) / (now - sentAt);
    }
  }
}

let finished = false;
const connections = Array.from({ length: order.connections }, () => new Connection());
await Promise.all(connections.map(({ opened }) => opened));

const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
let cpu = cpuBefore;
setTimeout(() => {
  endedAt = performance.now();
  cpu = process.cpuUsage(cpuBefore);
  setTimeout(() => fail(`No answer came within ${drainSeconds} s.`), drainSeconds * 1000);
}, order.seconds * 1000);
for (const connection of connections) connection.send(order.inFlight);

/** Ends the load where a connection is lost. @param {string} message */
function fail(message) {
  if (finished) return;
  failure ??= message;
  failures += Math.max(1, inFlight);
  if (endedAt === Number.POSITIVE_INFINITY) endedAt = performance.now();
  finish();
}

function finish() {
  if (finished) return;
  finished = true;
  const summary = {
    requests,
    answered,
    outputs,
    failures,
    failure,
    seconds: (endedAt - startedAt) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    latency: timesOf(latencies),
    ...(firstOutputs.length > 0 && { firstOutput: timesOf(firstOutputs) }),
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`, () => process.exit(0));
}

/** @param {readonly number[]} milliseconds @returns {Times} */
function timesOf(milliseconds) {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (/** @type {number} */ share) => quantile(sorted, share) * 1000;
  return { p50Us: at(0.5), p90Us: at(0.9), p99Us: at(0.99) };
}
