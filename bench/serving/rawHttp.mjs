/** As much of HTTP/1.1 as a load generator needs. */

/**
 * @param {import('./loadGenerator.mjs').LoadRequest} request
 * @returns {Buffer} the whole of it
 */
export function requestBytes({ url, headers, body }) {
  const { host, pathname } = new URL(url);
  const lines = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

const headersEnd = Buffer.from('\r\n\r\n');
const processingName = Buffer.from('"processingTimeMs":');
const serverTiming =
  /\r\nserver-timing: *queue;dur=([^,]+), batch;dur=([^,]+), compute;dur=([^\r]+)/i;
const nothing = Buffer.alloc(0);

/**
 * Where an answer's time went on the server, in milliseconds; NaN where it tells nothing.
 *
 * @typedef {object} ServerTimes
 * @property {number} queue until a worker took it
 * @property {number} batch from there to the run
 * @property {number} compute the run
 */

/** Reads a connection's answers one after the other, in whatever pieces they come. */
export class AnswerParser {
  /** @type {Buffer} */
  #received = nothing;
  #onAnswer;

  /**
   * @param {(status: number, times: ServerTimes) => void} onAnswer called for each answer
   */
  constructor(onAnswer) {
    this.#onAnswer = onAnswer;
  }

  /**
   * @param {Buffer} chunk
   * @throws Error where an answer has no content-length
   */
  read(chunk) {
    this.#received = this.#received.length > 0 ? Buffer.concat([this.#received, chunk]) : chunk;
    const bodyStart = this.#received.indexOf(headersEnd) + headersEnd.length;
    if (bodyStart < headersEnd.length) return;
    const head = this.#received.toString('latin1', 0, bodyStart);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`Expected a content-length but received:\n${head}`);
    const end = bodyStart + Number(length);
    if (this.#received.length < end) return;
    const body = this.#received.subarray(bodyStart, end);
    this.#received = nothing;
    // "HTTP/1.1 200 OK"
    this.#onAnswer(Number(head.slice(9, 12)), serverTimes(head, body));
  }
}

/**
 * By its `server-timing` header, or else by its body's `processingTimeMs`.
 *
 * @type {(head: string, body: Buffer) => ServerTimes}
 */
function serverTimes(head, body) {
  const [, queue, batch, compute] = serverTiming.exec(head) ?? [];
  if (compute === undefined) {
    return { queue: Number.NaN, batch: Number.NaN, compute: processingMs(body) };
  }
  return { queue: Number(queue), batch: Number(batch), compute: Number(compute) };
}

/** @param {Buffer} body */
function processingMs(body) {
  const at = body.lastIndexOf(processingName);
  if (at < 0) return Number.NaN;
  return Number.parseFloat(body.toString('latin1', at + processingName.length, at + 64));
}
