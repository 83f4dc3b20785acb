import type { HttpRequest } from 'uWebSockets.js';

/** What the server speaks, beside the key that a client may offer with it. */
const name = 'cloudeasyml';
const keyPrefix = 'key.';

function offered(header: string): string[] {
  return header.split(',').map((protocol) => protocol.trim());
}

/**
 * A handshake's key as an `Authorization` header has it, '' for none. A page can't set that header; it may offer
 * the key as a subprotocol instead: `new WebSocket(url, ['cloudeasyml', 'key.ce_…'])`.
 */
export function authorizationOf(req: HttpRequest): string {
  const authorization = req.getHeader('authorization');
  if (authorization !== '') return authorization;
  const key = offered(req.getHeader('sec-websocket-protocol')).find((protocol) =>
    protocol.startsWith(keyPrefix),
  );
  return key === undefined ? '' : `Bearer ${key.slice(keyPrefix.length)}`;
}

/** The subprotocol to answer with: never the key. Others are taken as they come, the first of them. */
export function subprotocol(header: string): string {
  const protocols = offered(header);
  if (protocols.includes(name)) return name;
  return protocols.find((protocol) => !protocol.startsWith(keyPrefix)) ?? '';
}
