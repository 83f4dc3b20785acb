import http from 'node:http';
import type { Duplex } from 'node:stream';

export interface Handshake {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** The body of a refusal. */
  json?: unknown;
  /** The connection, where the server agreed. */
  socket?: Duplex;
}

/** Asks a server for a WebSocket, and leaves what becomes of it to the caller. */
export function handshake(url: string, headers: Record<string, string> = {}): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}/predict`, {
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    request.on('upgrade', (response, socket) => {
      socket.on('error', () => {});
      resolve({ status: response.statusCode!, headers: response.headers, socket });
    });
    request.on('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        json: text === '' ? undefined : JSON.parse(text),
      });
    });
    request.on('error', reject);
    request.end();
  });
}
