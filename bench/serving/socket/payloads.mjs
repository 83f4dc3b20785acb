/** What the frames of /predict's WebSocket hold. */

/** Ids are numbers of four digits: they can be changed where they stand. */
export const firstId = 1000;
export const mostIds = 9000;

/** Bytes in front of a binary frame's JSON header: its length. */
export const lengthBytes = 4;

/** Where `{"id":1000,` has its digits. */
export const idAt = '{"id":'.length;
/** Where an answer's `{"id":1000,"` goes on with `seq`, `done` or `error`. */
export const kindAt = '{"id":1000,"'.length;
export const Kind = { output: 's'.charCodeAt(0), done: 'd'.charCodeAt(0) };

/**
 * @typedef {object} Payload
 * @property {Buffer} bytes
 * @property {boolean} isBinary
 */

/**
 * @param {{ deploymentId: string, data: unknown, options?: object, stream?: boolean, end?: boolean }} request
 * @returns {Payload} a text frame's, with the first id
 */
export function jsonPayload(request) {
  return { bytes: Buffer.from(JSON.stringify({ id: firstId, ...request })), isBinary: false };
}

/**
 * @param {string} deploymentId
 * @param {readonly (readonly number[])[]} rows
 * @returns {Payload} a binary frame's, with the first id, which asks for a binary answer
 */
export function tensorPayload(deploymentId, rows) {
  const dims = [rows.length, rows[0]?.length ?? 0];
  const tensors = [{ type: 'float32', dims }];
  const header = Buffer.from(JSON.stringify({ id: firstId, deploymentId, tensors, binary: true }));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32LE(header.length);
  const elements = Buffer.from(Float32Array.from(rows.flat()).buffer);
  return { bytes: Buffer.concat([length, header, elements]), isBinary: true };
}

/**
 * @param {Buffer} bytes of a binary frame with one float32 tensor of two axes
 * @returns {number[][]} its rows
 */
export function tensorRows(bytes) {
  const dataAt = lengthBytes + bytes.readUInt32LE(0);
  const { tensors } = JSON.parse(bytes.toString('utf8', lengthBytes, dataAt));
  const [rows, width] = tensors[0].dims;
  // A copy lies where a Float32Array may.
  const values = new Float32Array(Uint8Array.from(bytes.subarray(dataAt)).buffer);
  return Array.from({ length: rows }, (_, row) => [
    ...values.subarray(row * width, (row + 1) * width),
  ]);
}
