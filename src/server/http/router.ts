import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { z } from 'zod';
import { CloudEasyMLError } from '../../errors.js';
import { validate } from '../../validation/validate.js';
import { BodyParts, mediaTypeOf, wrongMediaType } from './body.js';
import { acceptedEncoding, type Encoding, encodingOf, inflate } from './compression.js';
import { Exchange, type ExchangeListener } from './exchange.js';
import { parseJsonBody } from './jsonBody.js';
import type { Pipeline } from './pipeline.js';
import {
  type Answer,
  type Method,
  parametersOf,
  type Route,
  type RouteDescription,
} from './route.js';

/** Bytes of a body where a route says nothing else: what JavaScript parses holds up the event loop. */
const defaultBodyLimit = 16 * 1024;

/** A request to a route with a handler. */
class Call extends Exchange {
  route!: Route;
  method = '';
  /** Without the query. */
  url = '';
  readonly parameters: Record<string, string> = {};
  query = '';
  bodyEncoding: Encoding | undefined;
  readonly parts = new BodyParts();
  readonly startedAt = performance.now();
}

/** Takes a request on a route of its own: a prediction, or a WebSocket's handshake. */
export type Listener = (res: HttpResponse, req: HttpRequest) => void;

/**
 * The routes of the table on a uWebSockets.js app. A route with a handler gets a checked request; one that has
 * a listener of its own uses the {@link Pipeline} itself.
 */
export class Router implements ExchangeListener {
  readonly #app: TemplatedApp;
  readonly #pipeline: Pipeline;
  readonly #methods = new Map<string, Method[]>();
  #inFlight = 0;

  constructor(app: TemplatedApp, pipeline: Pipeline) {
    this.#app = app;
    this.#pipeline = pipeline;
  }

  /** Requests that have no answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Adds a route whose requests its handler answers. */
  add(route: Route): void {
    this.listen(route, (res, req) => this.#begin(route, res, req, false));
    if (route.method === 'GET') {
      this.#app.head(patternOf(route.path), (res, req) => this.#begin(route, res, req, true));
    }
  }

  /** Adds a route whose requests the listener takes over. */
  listen({ method, path }: RouteDescription, listener: Listener): void {
    const pattern = patternOf(path);
    if (method === 'DELETE') this.#app.del(pattern, listener);
    else this.#app[method.toLowerCase() as 'get' | 'post' | 'put' | 'patch'](pattern, listener);
    this.#methods.set(pattern, [...(this.#methods.get(pattern) ?? []), method]);
  }

  /** Answers what no route answers. To be called once, after every route. */
  finish(): void {
    for (const [pattern, methods] of this.#methods) {
      this.#app.any(pattern, (res, req) => this.#refuseMethod(res, req, methods));
    }
    this.#app.any('/*', (res, req) => {
      const call = this.#open(res, req);
      const message = `There is no route ${call.method} ${call.url}.`;
      this.#pipeline.refuse(call, new CloudEasyMLError('route_not_found', message));
    });
  }

  onBody(exchange: Exchange, chunk: ArrayBuffer, isLast: boolean): void {
    const call = exchange as Call;
    call.parts.add(chunk);
    if (isLast) void this.#serve(call);
  }

  onCut(): void {}

  onUnread(): void {}

  onGone(exchange: Exchange): void {
    this.#end(exchange as Call);
  }

  onAnswered(exchange: Exchange): void {
    this.#end(exchange as Call);
  }

  #open(res: HttpResponse, req: HttpRequest): Call {
    const call = new Call(this, this.#pipeline);
    call.method = req.getCaseSensitiveMethod().toUpperCase();
    call.isHead = call.method === 'HEAD';
    call.url = req.getUrl();
    this.#inFlight++;
    this.#pipeline.begin(call, res, req, 'public');
    return call;
  }

  #begin(route: Route, res: HttpResponse, req: HttpRequest, isHead: boolean): void {
    const call = new Call(this, this.#pipeline);
    call.route = route;
    call.method = isHead ? 'HEAD' : route.method;
    call.isHead = isHead;
    call.url = req.getUrl();
    this.#inFlight++;
    if (!this.#pipeline.begin(call, res, req, route.access)) return;
    call.encoding = acceptedEncoding(req.getHeader('accept-encoding'));
    try {
      // The request is only there until this returns.
      for (const [index, name] of parametersOf(route.path).entries()) {
        call.parameters[name] = decoded(req.getParameter(index) ?? '');
      }
      call.query = req.getQuery();
      if (route.body) {
        const mediaType = mediaTypeOf(req.getHeader('content-type'));
        if (mediaType !== 'application/json') throw wrongMediaType(mediaType, 'application/json');
        call.bodyEncoding = encodingOf(req.getHeader('content-encoding'));
      }
    } catch (error) {
      this.#pipeline.refuse(call, error);
      return;
    }
    if (route.body) {
      this.#pipeline.watch(call);
      this.#pipeline.receive(call, route.bodyLimit ?? defaultBodyLimit);
    } else {
      void this.#serve(call);
    }
  }

  async #serve(call: Call): Promise<void> {
    const { route, parameters } = call;
    try {
      const query = route.query
        ? validate(route.query, Object.fromEntries(new URLSearchParams(call.query)), {
            whole: 'The query',
          })
        : undefined;
      const body = route.body ? await this.#bodyOf(call, route.body) : undefined;
      const answer = await route.handle({ principal: call.principal!, parameters, body, query });
      if (call.res) this.#send(call, answer);
    } catch (error) {
      if (call.res) this.#pipeline.refuse(call, error);
      else if (!(error instanceof CloudEasyMLError)) this.#pipeline.log(error, call);
    }
  }

  async #bodyOf(call: Call, schema: z.ZodType): Promise<unknown> {
    const received = call.parts.whole();
    const bytes = call.bodyEncoding ? await inflate(received, call.bodyLimit) : received;
    return validate(schema, parseJsonBody(bytes), { whole: 'The body' });
  }

  #send(call: Call, { status = call.route.answer.status ?? 200, headers, body }: Answer): void {
    const isText = typeof body === 'string';
    const all = { ...this.#pipeline.headersOf(call, 'application/json'), ...headers };
    all['x-request-id'] = call.requestId;
    this.#pipeline.answer(call, status, all, isText ? body : JSON.stringify(body));
  }

  #end(call: Call): void {
    this.#inFlight--;
    this.#pipeline.forget(call);
    const { requestId, method, url, status } = call;
    const durationMs = Math.round((performance.now() - call.startedAt) * 1000) / 1000;
    // What anyone may ask, and refusals of keys, would let anyone fill the log.
    const isQuiet = !call.principal || status === 429;
    const level = isQuiet ? 'debug' : 'info';
    this.#pipeline.services.logger[level](
      { requestId, method, url, status: status || 'client gone', durationMs },
      'request',
    );
  }

  #refuseMethod(res: HttpResponse, req: HttpRequest, methods: Method[]): void {
    const { cors } = this.#pipeline.services;
    const asked = req.getHeader('access-control-request-method');
    const call = this.#open(res, req);
    if (cors.enabled && call.method === 'OPTIONS' && asked !== '') {
      const headers = {
        ...cors.headersFor(call.origin),
        ...cors.preflightHeaders(methods),
        'x-request-id': call.requestId,
      };
      this.#pipeline.answer(call, 200, headers, '');
      return;
    }
    const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method));
    const message = `${call.url} takes ${allow.join(', ')}, not ${call.method}.`;
    this.#pipeline.refuse(call, new CloudEasyMLError('method_not_allowed', message), {
      headers: { allow: allow.join(', ') },
    });
  }
}

/** A path as uWebSockets.js writes it: `/deployments/:deploymentId`. */
function patternOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
