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
const nothing = Buffer.alloc(0);

/** Reads a connection's answers one after the other, in whatever pieces they come. */
export class AnswerParser {
  /** @type {Buffer} */
  #received = nothing;
  #onAnswer;

  /**
   * @param {(status: number, processingMs: number) => void} onAnswer called for each answer with its
   *   status and the processingTimeMs in its body, NaN where there is none
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
    this.#onAnswer(Number(head.slice(9, 12)), processingMs(body));
  }
}

/** @param {Buffer} body */
function processingMs(body) {
  const at = body.lastIndexOf(processingName);
  if (at < 0) return Number.NaN;
  return Number.parseFloat(body.toString('latin1', at + processingName.length, at + 64));
}
