import type { HttpResponse, WebSocket } from 'uWebSockets.js';

type Control = (this: unknown) => void;

/**
 * Stops and restarts reading from a WebSocket, so that TCP makes its client wait.
 *
 * uWebSockets.js has the two calls on HTTP responses only. Below both lies the same kind of socket, on
 * which they work; a response lends its methods here.
 */
export class SocketFlow {
  readonly #pause: Control;
  readonly #resume: Control;

  /** @param res the response that is being upgraded */
  constructor(res: HttpResponse) {
    this.#pause = res.pause;
    this.#resume = res.resume;
  }

  /**
   * What was received already may still come. To be called only while nothing waits to be sent: until the
   * socket is resumed, nothing tells when it can be written to. A write that does not go out at once
   * resumes it by itself; then `resume` must not be called.
   */
  pause(socket: WebSocket<unknown>): void {
    this.#pause.call(socket);
  }

  resume(socket: WebSocket<unknown>): void {
    this.#resume.call(socket);
  }
}
