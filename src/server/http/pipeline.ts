import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { KeyRing } from '../../auth/keyRing.js';
import type { Principal } from '../../auth/principal.js';
import { turnTime } from '../../auth/turnTime.js';
import type { Logger } from '../../telemetry/logger.js';
import { bodyTimedOut, bodyTooLarge, type ClientLimits } from './body.js';
import type { CorsPolicy } from './cors.js';
import type { AnswerBody, Exchange } from './exchange.js';
import { headerKeys } from './headerKeys.js';
import { isExplained, problemFor } from './problem.js';
import type { Access } from './route.js';

/** How often it is looked for bodies that do not arrive. */
const sweepMs = 250;

export type Readiness = 'starting' | 'ready' | 'draining';

/** What every request needs. */
export interface HttpServices {
  keys: KeyRing;
  logger: Logger;
  cors: CorsPolicy;
  limits: ClientLimits;
  /** Whether answers to predictions have a `server-timing` header. */
  serverTiming: boolean;
  readiness(): Readiness;
}

/** Whose address is asked for where a key is not known. */
export interface Caller {
  readonly address: string;
}

interface RefusalOptions {
  headers?: Record<string, string>;
  /** Close the connection. */
  close?: boolean;
  /** For the log. */
  deploymentId?: string;
}

/**
 * The one way in: every request, of whichever route, is authenticated, limited, timed, answered and, where it
 * fails, explained here.
 */
export class Pipeline {
  readonly services: HttpServices;
  /** Exchanges whose bodies are looked after. */
  readonly #watched = new Set<Exchange>();
  readonly #sweeper: NodeJS.Timeout;
  /** Answers close their connections, so that clients take their next request elsewhere. */
  closesConnections = false;
  constructor(services: HttpServices) {
    this.services = services;
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
    this.#sweeper.unref();
  }

  close(): void {
    clearInterval(this.#sweeper);
  }

  /** Sees to it that the exchange's bodies arrive in time, until `forget()`. */
  watch(exchange: Exchange): void {
    this.#watched.add(exchange);
  }

  forget(exchange: Exchange): void {
    this.#watched.delete(exchange);
  }

  /**
   * Takes over a request and finds out who sends it.
   *
   * @returns whether it may go on; else it has been answered
   */
  begin(exchange: Exchange, res: HttpResponse, req: HttpRequest, access: Access): boolean {
    exchange.open(res, req, this.services.cors.enabled);
    if (access === 'public') return true;
    try {
      exchange.principal = this.admit(req.getHeader(headerKeys.authorization), access, exchange);
      return true;
    } catch (error) {
      this.refuse(exchange, error);
      return false;
    }
  }

  /**
   * Lets one request of a key pass.
   *
   * @throws CloudEasyMLError `key_missing`, `key_invalid`, `rate_limited`, `forbidden`
   */
  admit(authorization: string, access: Exclude<Access, 'public'>, caller: Caller): Principal {
    const principal = this.services.keys.authenticate(authorization, caller);
    principal.admit(access);
    return principal;
  }

  /** Has the exchange's listener get the body, within the limits; to be called before the route's handler returns. */
  receive(exchange: Exchange, bodyLimit: number): void {
    exchange.bodyLimit = bodyLimit;
    exchange.receiveBy = turnTime() + this.services.limits.requestTimeoutMs;
    exchange.res!.onData(exchange.onData);
  }

  onChunk(exchange: Exchange, chunk: ArrayBuffer, isLast: boolean): void {
    // It was answered before all of its body had come.
    if (exchange.receiveBy === 0) return;
    // The headers came alone. The first bytes of a body say what it is.
    if (!isLast && chunk.byteLength === 0) return;
    exchange.receivedBytes += chunk.byteLength;
    if (exchange.receivedBytes > exchange.bodyLimit) {
      this.cut(exchange, bodyTooLarge(exchange.bodyLimit));
      return;
    }
    if (isLast) exchange.receiveBy = 0;
    exchange.listener.onBody(exchange, chunk, isLast);
  }

  onAborted(exchange: Exchange): void {
    exchange.receiveBy = 0;
    exchange.res = undefined;
    exchange.listener.onGone(exchange);
  }

  /** Answers a request whose body will not become whole. What comes of it must not be read as a request. */
  cut(exchange: Exchange, error: unknown): void {
    exchange.receiveBy = 0;
    exchange.listener.onCut(exchange);
    this.refuse(exchange, error, { close: true });
  }

  /** Answers with an error's problem document. */
  refuse(exchange: Exchange, error: unknown, more: RefusalOptions = {}): void {
    const { requestId } = exchange;
    const { problem, headers } = problemFor(error, requestId);
    if (problem.status >= 500) this.log(error, exchange, more.deploymentId);
    this.answer(
      exchange,
      problem.status,
      {
        ...this.headersOf(exchange, 'application/problem+json'),
        ...headers,
        ...more.headers,
        'x-request-id': requestId,
      },
      JSON.stringify(problem),
      more.close || problem.code === 'draining',
    );
  }

  /** Answers; without headers, with JSON. */
  answer(
    exchange: Exchange,
    status: number,
    headers: Record<string, string> | undefined,
    body: AnswerBody,
    close = false,
    timing?: Uint8Array,
  ): void {
    exchange.answer(status, headers, body, close || this.closesConnections, timing);
  }

  /** The headers that belong to an exchange's answer; undefined where those of plain JSON do. */
  plainHeadersOf(exchange: Exchange): Record<string, string> | undefined {
    if (exchange.requestIdHeader === '' && !this.services.cors.enabled) return undefined;
    return this.headersOf(exchange, 'application/json');
  }

  headersOf(exchange: Exchange, contentType: string): Record<string, string> {
    return {
      'content-type': contentType,
      ...this.services.cors.headersFor(exchange.origin),
      ...(exchange.requestIdHeader !== '' && {
        'x-request-id': exchange.requestId,
      }),
    };
  }

  /** Logs why a request failed. Where an error that was foreseen arose tells nothing; what caused it may. */
  log(error: unknown, { requestId }: Exchange, deploymentId?: string): void {
    const { logger } = this.services;
    if (!isExplained(error)) {
      logger.error({ requestId, deploymentId, err: error }, 'a request failed');
      return;
    }
    const { code, message: detail, cause } = error;
    const why = { code, detail, ...(cause instanceof Error && { err: cause }) };
    logger.warn({ requestId, deploymentId, ...why }, 'a request failed');
  }

  #sweep(): void {
    const now = Date.now();
    for (const exchange of this.#watched) {
      if (exchange.receiveBy === 0 || exchange.receiveBy > now) continue;
      this.cut(exchange, bodyTimedOut(this.services.limits.requestTimeoutMs));
    }
  }
}
