/** As much of WebSockets (RFC 6455) as a load generator needs. */

export const Opcode = { text: 1, binary: 2, close: 8 };

const finalFrame = 0x80;
const masked = 0x80;
const maskBytes = 4;
/** Of a frame with a length of 64 bits and no mask. */
const longestHeader = 10;

/**
 * @param {string} url of the server, `http:`
 * @param {string} apiKey
 * @returns {string} the request that opens a WebSocket on /predict
 */
export function upgradeRequest(url, apiKey) {
  const lines = [
    'GET /predict HTTP/1.1',
    `host: ${new URL(url).host}`,
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    // Any 16 bytes will do: the answer to them is for proxies' sake.
    `sec-websocket-key: ${Buffer.alloc(16).toString('base64')}`,
    `authorization: Bearer ${apiKey}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * A client's frame. It must be masked; a key of 0 leaves the payload as it is, so that it can be changed in
 * the frame.
 *
 * @param {number} opcode
 * @param {Buffer} payload
 * @returns {{ frame: Buffer, payloadAt: number }}
 */
export function clientFrame(opcode, payload) {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 2 ** 16 ? 2 : 8;
  const payloadAt = 2 + lengthBytes + maskBytes;
  const frame = Buffer.alloc(payloadAt + length);
  frame[0] = finalFrame | opcode;
  frame[1] = masked | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  payload.copy(frame, payloadAt);
  return { frame, payloadAt };
}

/**
 * Reads the headers of a server's frames and the first bytes of their payloads, in whatever pieces they
 * come, and skips the rest: a generator that read everything would be slower than what it measures.
 */
export class FrameHeads {
  #onFrame;
  #peekBytes;
  /** What of a header and first bytes came at the end of a piece. */
  #held;
  #heldBytes = 0;
  /** Bytes of a payload that are still to come. */
  #skip = 0;

  /**
   * @param {number} peekBytes of a payload that must be there, where it has as many
   * @param {(opcode: number, bytes: Buffer, payloadAt: number) => void} onFrame `bytes` hold good until it
   *   returns
   */
  constructor(peekBytes, onFrame) {
    this.#peekBytes = peekBytes;
    this.#onFrame = onFrame;
    this.#held = Buffer.alloc(longestHeader + peekBytes);
  }

  /**
   * @param {Buffer} bytes
   * @param {number} length of them that hold something
   */
  read(bytes, length) {
    let at = 0;
    if (this.#heldBytes > 0) {
      const before = this.#heldBytes;
      const joined = Math.min(before + length, this.#held.length);
      bytes.copy(this.#held, before, 0, joined - before);
      const payloadAt = this.#take(this.#held, 0, joined);
      this.#heldBytes = payloadAt < 0 ? joined : 0;
      if (payloadAt < 0) return;
      // The payload's first bytes may have been held, too.
      this.#skip -= Math.max(0, before - payloadAt);
      at = Math.max(0, payloadAt - before);
    }
    for (;;) {
      const skipped = Math.min(this.#skip, length - at);
      this.#skip -= skipped;
      at += skipped;
      if (at === length) return;
      const payloadAt = this.#take(bytes, at, length);
      if (payloadAt < 0) {
        this.#heldBytes = bytes.copy(this.#held, 0, at, length);
        return;
      }
      at = payloadAt;
    }
  }

  /** @type {(bytes: Buffer, at: number, end: number) => number} where the payload is; -1 for too few bytes */
  #take(bytes, at, end) {
    if (end - at < 2) return -1;
    const short = /** @type {number} */ (bytes[at + 1]);
    const payloadAt = at + (short < 126 ? 2 : short === 126 ? 4 : longestHeader);
    if (end < payloadAt) return -1;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (end < payloadAt + Math.min(length, this.#peekBytes)) return -1;
    this.#skip = length;
    this.#onFrame(/** @type {number} */ (bytes[at]) & 0x0f, bytes, payloadAt);
    return payloadAt;
  }
}
