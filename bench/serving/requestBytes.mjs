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
