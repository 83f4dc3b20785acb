import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { CorsPolicy } from './cors.js';
import { problemFor } from './problem.js';
import { requestIdFor } from './requestId.js';

/** What a handler answers with. */
export interface Answer {
  /** 200 where it is left out. */
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON, unless it is a string: that is sent as it is, with the headers' content type. */
  body: unknown;
}

/** One request and its answer, safe against a client that goes at any moment. */
export class Exchange {
  readonly requestId: string;
  /** Upper case. */
  readonly method: string;
  /** Without the query. */
  readonly url: string;
  /** The status that was sent; 0 before. */
  status = 0;
  readonly #res: HttpResponse;
  readonly #corsHeaders: Record<string, string>;
  readonly #gone = new AbortController();

  /** Takes over the response; must be made before the route's handler returns. */
  constructor(res: HttpResponse, req: HttpRequest, cors: CorsPolicy) {
    this.#res = res;
    this.requestId = requestIdFor(req.getHeader('x-request-id'));
    this.method = req.getCaseSensitiveMethod().toUpperCase();
    this.url = req.getUrl();
    this.#corsHeaders = cors.headersFor(req.getHeader('origin'));
    res.onAborted(() => this.#gone.abort());
  }

  /** Aborted when the client goes. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Sends the answer, unless one was sent or the client has gone. */
  send(answer: Answer, options: { close?: boolean } = {}): void {
    if (this.status !== 0 || this.#gone.signal.aborted) return;
    const status = answer.status ?? 200;
    const text = typeof answer.body === 'string';
    const headers = {
      ...(!text && { 'content-type': 'application/json' }),
      ...answer.headers,
      'x-request-id': this.requestId,
      ...this.#corsHeaders,
    };
    const whole = text ? (answer.body as string) : JSON.stringify(answer.body);
    // A body after HEAD would be taken for the start of the next answer.
    const body = this.method === 'HEAD' ? '' : whole;
    this.status = status;
    this.#res.cork(() => {
      this.#res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
      for (const [name, value] of Object.entries(headers)) this.#res.writeHeader(name, value);
      this.#res.end(body, options.close ?? false);
    });
  }

  /** Sends an error as a problem document. */
  sendError(error: unknown, extra: Record<string, string> = {}): void {
    const { problem, headers } = problemFor(error, this.requestId);
    this.send(
      {
        status: problem.status,
        headers: { ...headers, ...extra, 'content-type': 'application/problem+json' },
        body: problem,
      },
      // The rest of a slow body would be read as the next request's; a server that drains wants
      // its connections to end.
      { close: problem.code === 'request_timeout' || problem.code === 'draining' },
    );
  }
}
