import uWS from 'uWebSockets.js';

/**
 * Reads a request's body, in one piece or several, and parses it.
 *
 * @param {import('uWebSockets.js').HttpResponse} res
 * @param {(body: any, text: Buffer) => void} received `text` is valid until it returns
 */
export function readJson(res, received) {
  /** @type {Buffer | undefined} */
  let buffer;
  res.onData((chunk, isLast) => {
    const piece = Buffer.from(chunk);
    if (!isLast) {
      // uWebSockets.js takes the chunk's memory back when this returns.
      buffer = Buffer.concat(buffer ? [buffer, piece] : [piece]);
      return;
    }
    const text = buffer ? Buffer.concat([buffer, piece]) : piece;
    let body;
    try {
      body = JSON.parse(text.toString());
    } catch {
      res.writeStatus('400 Bad Request').end();
      return;
    }
    received(body, text);
  });
}

/**
 * Listens on a free port and says where.
 *
 * @param {import('uWebSockets.js').TemplatedApp} app
 */
export function listen(app) {
  app.listen('127.0.0.1', 0, (socket) => {
    if (!socket) throw new Error('No port is free.');
    console.log(`listening on http://127.0.0.1:${uWS.us_socket_local_port(socket)}`);
  });
}
