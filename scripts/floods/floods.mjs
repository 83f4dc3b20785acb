// What a hostile client sends. Each flood keeps some connections busy until it is stopped, and opens those
// anew that the server closes.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/**
 * @typedef {object} Target
 * @property {URL} url the server's
 * @property {string} key one that may predict and read usage
 * @property {string} deploymentId
 */

/** Bytes that a flood hands to the system at once. */
const burstBytes = 64 * 1024;
const reconnectMs = 20;

const opcodes = { text: 1, ping: 9 };

/** The head of a frame with a payload of so many bytes. A mask of zeros leaves that as it is. */
function frameHead(opcode, length) {
  const head = Buffer.alloc(length < 126 ? 6 : 14);
  head[0] = 0x80 | opcode;
  if (length < 126) {
    head[1] = 0x80 | length;
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return head;
}

function frame(opcode, payload) {
  return Buffer.concat([frameHead(opcode, payload.length), payload]);
}

/** As many copies as make a burst. */
function burstOf(bytes) {
  return Buffer.concat(Array(Math.max(1, Math.floor(burstBytes / bytes.length))).fill(bytes));
}

function upgrade({ url, key }, withKey) {
  return [
    'GET /predict HTTP/1.1',
    `host: ${url.host}`,
    'upgrade: websocket',
    'connection: upgrade',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
    ...(withKey ? [`authorization: Bearer ${key}`] : []),
    '\r\n',
  ].join('\r\n');
}

function request({ url }, method, path, key, body = '') {
  const head = [
    `${method} ${path} HTTP/1.1`,
    `host: ${url.host}`,
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    '\r\n',
  ];
  return head.join('\r\n') + body;
}

/** One connection, over and over. */
class Flooder {
  #target;
  #behaviour;
  #socket;
  #isStopped = false;

  /**
   * @param {Target} target
   * @param {object} behaviour
   * @param {() => string} behaviour.opening sent when the connection opens
   * @param {Buffer} [behaviour.begin] sent once, when that is answered
   * @param {() => string | Buffer} behaviour.burst sent again and again: by a client that reads, after each
   *   answer, else whenever the system takes more
   * @param {boolean} [behaviour.reads]
   */
  constructor(target, behaviour) {
    this.#target = target;
    this.#behaviour = behaviour;
    this.#open();
  }

  stop() {
    this.#isStopped = true;
    this.#socket.destroy();
  }

  #open() {
    const { opening, begin, burst, reads = false } = this.#behaviour;
    const socket = connect(Number(this.#target.url.port), this.#target.url.hostname);
    this.#socket = socket;
    const send = () => {
      // A turn between bursts: the system may take them for ever.
      if (!socket.destroyed && socket.write(burst()) && !reads) setImmediate(send);
    };
    socket.on('error', () => {});
    socket.once('close', () => {
      if (!this.#isStopped) setTimeout(() => this.#isStopped || this.#open(), reconnectMs);
    });
    socket.once('connect', () => socket.write(opening()));
    if (reads) {
      socket.on('data', send);
      return;
    }
    // The upgrade's answer is all that it reads.
    socket.once('data', () => {
      socket.pause();
      if (begin) socket.write(begin);
      send();
    });
    socket.on('drain', send);
  }
}

/** Frames that ask for 100 KB back, each with another id. */
function largePredictions({ deploymentId }) {
  const id = '00000000';
  const data = Array(2000).fill([1.2345678, -2.3456789, 3.4567891, -4.5678912]);
  const asked = frame(opcodes.text, Buffer.from(JSON.stringify({ id, deploymentId, data })));
  const at = asked.indexOf(id);
  let count = 0;
  return () => {
    asked.write(String(count++ % 1e8).padStart(id.length, '0'), at);
    return Buffer.from(asked);
  };
}

/** @returns {() => void} stops the flood */
function flood(target, count, behaviour) {
  const flooders = Array.from({ length: count }, () => new Flooder(target, behaviour));
  return () => {
    for (const flooder of flooders) flooder.stop();
  };
}

const filling = Buffer.alloc(burstBytes, ' ');
/** The beginning of a frame that never becomes whole. */
const endless = frameHead(opcodes.text, 100 * 1024 * 1024);
const pings = burstOf(frame(opcodes.ping, Buffer.alloc(125)));
const wrongFrames = burstOf(frame(opcodes.text, Buffer.from('{"id":1,"deploymentId":7}')));
const largeBody = JSON.stringify({ name: Array(340_000).fill([]) });

/** The same request over and over, each when the last is answered. */
function again(make) {
  return { opening: make, burst: make, reads: true };
}

/**
 * The floods by name. Each is started by a call, and stopped by what that returns.
 *
 * @type {Record<string, (target: Target) => () => void>}
 */
export const floods = {
  /** Sockets that say no key, and send a large frame but for its end. */
  keylessSockets: (target) =>
    flood(target, 64, {
      opening: () => upgrade(target, false),
      begin: endless,
      burst: () => filling,
    }),
  /** The same with a key. */
  partialFrames: (target) =>
    flood(target, 32, {
      opening: () => upgrade(target, true),
      begin: endless,
      burst: () => filling,
    }),
  /** Errors that the client does not read. */
  unreadErrors: (target) =>
    flood(target, 16, { opening: () => upgrade(target, true), burst: () => wrongFrames }),
  /** Pongs that the client does not read. */
  unreadPongs: (target) =>
    flood(target, 16, { opening: () => upgrade(target, true), burst: () => pings }),
  /** Bodies of a management route, of nearly 1 MiB. */
  managementBodies: (target) =>
    flood(
      target,
      4,
      again(() => request(target, 'POST', '/api-keys', target.key, largeBody)),
    ),
  /** Keys that are tried. */
  wrongKeys: (target) =>
    flood(
      target,
      8,
      again(() => request(target, 'GET', '/usage', randomBytes(16).toString('hex'))),
    ),
  /** Predictions with large answers that the client does not read. */
  unreadAnswers: (target) =>
    flood(target, 16, {
      opening: () => upgrade(target, true),
      burst: largePredictions(target),
    }),
};
