import type { Principal } from '../../auth/principal.js';
import type { Deployment } from '../../deployment/deployment.js';
import type { Connection } from './connection.js';

/** A request or stream in flight on a WebSocket. Calls are used again and again. */
export class SocketCall {
  /** Its number in the engine. */
  readonly ticket: number;
  /** Undefined while it is free. */
  connection: Connection | undefined;
  /** Its client's id: JSON text, with a string's quotes. */
  id = '';
  principal: Principal | undefined;
  deployment: Deployment | undefined;
  isStream = false;
  inputEnded = false;
  /** The engine does not take its inputs for now. */
  writerHeld = false;
  /** Bytes of inputs that came since then. */
  overrun = 0;
  /** It was dropped, and its completion is on its way. */
  isOrphaned = false;

  constructor(ticket: number) {
    this.ticket = ticket;
  }

  clear(): void {
    this.connection = undefined;
    this.principal = undefined;
    this.deployment = undefined;
    this.isStream = false;
    this.inputEnded = false;
    this.writerHeld = false;
    this.isOrphaned = false;
  }
}
