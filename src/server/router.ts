import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { z } from 'zod';
import type { KeyRing } from '../auth/keyRing.js';
import type { Permission } from '../auth/permissions.js';
import type { Principal } from '../auth/principal.js';
import { CloudEasyMLError } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import { validate } from '../validation/validate.js';
import type { CorsPolicy } from './cors.js';
import { type Answer, Exchange } from './exchange.js';
import { parseJsonBody } from './jsonBody.js';
import { isExplained } from './problem.js';
import { type ClientLimits, readBody, requireJson } from './readBody.js';
import { draining } from './refusals.js';

/**
 * Bytes of a body that JavaScript parses. No management request needs more, and the event loop
 * stands still meanwhile; prediction bodies are the engine's, under the full limit.
 */
const parsedBodyLimit = 1024 * 1024;

export type Readiness = 'starting' | 'ready' | 'draining';
export type Method = 'GET' | 'POST' | 'DELETE';

/** What every route uses. */
export interface HttpServices {
  keys: KeyRing;
  logger: Logger;
  cors: CorsPolicy;
  limits: ClientLimits;
  /** Whether answers to predictions have a `server-timing` header. */
  serverTiming: boolean;
  readiness(): Readiness;
}

export interface RouteOptions<Body, Query> {
  /** A permission that the key must have, or `anyKey`. */
  access: Permission | 'anyKey';
  /** Without one, a body is not read. */
  body?: z.ZodType<Body>;
  /** Without one, the query is not looked at. */
  query?: z.ZodType<Query>;
}

/** A request that passed every check. */
export interface RouteRequest<Body, Query> {
  principal: Principal;
  /** The pattern's parameter, '' where it has none. */
  id: string;
  body: Body;
  query: Query;
}

/**
 * The server's routes: each is authenticated, rate limited, validated, answered, logged, and any
 * error becomes a problem document.
 */
export class Router {
  readonly app: TemplatedApp;
  readonly services: HttpServices;
  readonly #methods = new Map<string, Method[]>();

  constructor(app: TemplatedApp, services: HttpServices) {
    this.app = app;
    this.services = services;
  }

  /** A route that wants a key. */
  handle<Body = undefined, Query = undefined>(
    method: Method,
    pattern: string,
    options: RouteOptions<Body, Query>,
    handler: (request: RouteRequest<Body, Query>) => Answer | Promise<Answer>,
  ): void {
    this.#register(method, pattern, async (res, req, exchange) => {
      // The request is only there until the first await: everything of it is read before.
      const id = decodeParameter(req.getParameter(0) ?? '');
      const queryText = req.getQuery();
      const contentLength = req.getHeader('content-length');
      const contentType = req.getHeader('content-type');
      const principal = this.#admit(req.getHeader('authorization'), options.access);
      let body = undefined as Body;
      if (options.body) {
        requireJson(contentType);
        const { bodyLimit, requestTimeoutMs } = this.services.limits;
        const limits = { bodyLimit: Math.min(bodyLimit, parsedBodyLimit), requestTimeoutMs };
        const bytes = await readBody(res, contentLength, limits, exchange.gone);
        body = validate(options.body, parseJsonBody(bytes), { whole: 'The body' });
      }
      const query = options.query
        ? validate(options.query, Object.fromEntries(new URLSearchParams(queryText)), {
            whole: 'The query',
          })
        : (undefined as Query);
      return handler({ principal, id, body, query });
    });
  }

  /** A route that wants no key. */
  handlePublic(method: Method, pattern: string, handler: () => Answer): void {
    this.#register(method, pattern, async () => handler(), 'debug');
  }

  /**
   * Makes a route known that is registered on the app itself, so that its other methods are answered
   * with 405.
   */
  claim(method: Method, pattern: string): void {
    this.#methods.set(pattern, [...(this.#methods.get(pattern) ?? []), method]);
  }

  /** Answers what no route answers. To be called once, after every route. */
  finish(): void {
    for (const [pattern, methods] of this.#methods) {
      this.app.any(pattern, (res, req) => this.#refuseMethod(res, req, methods));
    }
    this.app.any('/*', (res, req) => {
      const exchange = new Exchange(res, req, this.services.cors);
      const message = `There is no route ${exchange.method} ${exchange.url}.`;
      exchange.sendError(new CloudEasyMLError('route_not_found', message));
    });
  }

  #register(
    method: Method,
    pattern: string,
    serve: (res: HttpResponse, req: HttpRequest, exchange: Exchange) => Promise<Answer>,
    level: 'info' | 'debug' = 'info',
  ): void {
    const { logger, cors } = this.services;
    const listener = (res: HttpResponse, req: HttpRequest) => {
      const started = performance.now();
      const exchange = new Exchange(res, req, cors);
      const { requestId, url } = exchange;
      serve(res, req, exchange)
        .then((answer) => exchange.send(answer))
        .catch((error: unknown) => {
          if (!isExplained(error)) logger.error({ requestId, err: error }, 'unforeseen error');
          exchange.sendError(error);
        })
        .finally(() => {
          const durationMs = Math.round((performance.now() - started) * 1000) / 1000;
          const status = exchange.status || 'client gone';
          logger[level]({ requestId, method, url, status, durationMs }, 'request');
        });
    };
    if (method === 'GET') this.app.get(pattern, listener);
    else if (method === 'POST') this.app.post(pattern, listener);
    else this.app.del(pattern, listener);
    this.claim(method, pattern);
  }

  #admit(authorization: string, access: Permission | 'anyKey'): Principal {
    const principal = this.services.keys.authenticate(authorization);
    principal.admit(access);
    if (this.services.readiness() === 'draining') throw draining();
    return principal;
  }

  #refuseMethod(res: HttpResponse, req: HttpRequest, methods: Method[]): void {
    const { cors } = this.services;
    const exchange = new Exchange(res, req, cors);
    const asked = req.getHeader('access-control-request-method');
    if (cors.enabled && exchange.method === 'OPTIONS' && asked !== '') {
      exchange.send({ headers: cors.preflightHeaders(methods), body: '' });
      return;
    }
    const allow = methods.join(', ');
    const message = `${exchange.url} takes ${allow}, not ${exchange.method}.`;
    exchange.sendError(new CloudEasyMLError('method_not_allowed', message), { allow });
  }
}

function decodeParameter(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
