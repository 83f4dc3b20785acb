import { connect, type Socket } from 'node:net';
import { afterAll } from 'vitest';
import type { HttpClient } from './httpClient.js';

const open = new Set<Socket>();

afterAll(() => {
  for (const socket of open) socket.destroy();
});

/**
 * Sends a prediction request over a connection of its own and reads no more than the beginning of its answer.
 *
 * @returns the connection, when an answer has begun to come
 */
export async function unreadRequest(client: HttpClient, body: unknown): Promise<Socket> {
  const { hostname, port } = new URL(client.url);
  const text = JSON.stringify(body);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  open.add(socket);
  socket.write(
    `POST /predict HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${client.key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => {
      socket.pause();
      resolve();
    });
    socket.once('close', () => reject(new Error('The connection was closed without an answer.')));
  });
  return socket;
}
