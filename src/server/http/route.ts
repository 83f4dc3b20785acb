import type { z } from 'zod';
import type { Permission } from '../../auth/permissions.js';
import type { Principal } from '../../auth/principal.js';
import type { ErrorCode } from '../../errors.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A permission that the key must have; `anyKey` for none in particular; `public` for no key. */
export type Access = Permission | 'anyKey' | 'public';

type Members = Record<string, string>;

/** What an answer looks like. */
export interface AnswerDescription {
  /** 200 where it is left out. */
  status?: number;
  /** Of its JSON; without one the body is a page. */
  schema?: z.ZodType;
  /** Where the request's `Accept` asks for them, it answers with server-sent events. */
  events?: boolean;
}

/** What a route takes and gives. The OpenAPI document is made from this. */
export interface RouteDescription<Body = unknown, Query = unknown> {
  method: Method;
  /** With its parameters in braces: `/deployments/{deploymentId}`. */
  path: string;
  /** A phrase for the documentation. */
  summary: string;
  access: Access;
  /** What each of the path's parameters is. */
  parameters?: Members;
  /** Headers that it looks at, beside those of every request. */
  headers?: z.ZodObject;
  /** Without one, the query is not looked at. */
  query?: z.ZodType<Query>;
  /** Without one, a body is not read. */
  body?: z.ZodType<Body>;
  /** Media types that it takes beside JSON. */
  otherBodies?: readonly string[];
  answer: AnswerDescription;
  /** Its own, beside those that every route may answer with. */
  errors?: readonly ErrorCode[];
}

/** A request that passed every check. */
export interface RouteRequest<Body = unknown, Query = unknown> {
  /** Undefined on public routes. */
  principal: Principal;
  /** The path's parameters, decoded. */
  parameters: Members;
  body: Body;
  query: Query;
}

/** What a handler answers with. */
export interface Answer {
  /** The route's where it is left out. */
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON, unless it is a string: that is sent as it is, with the headers' content type. */
  body: unknown;
}

/** A route whose handler gets a checked request. */
export interface Route<Body = unknown, Query = unknown> extends RouteDescription<Body, Query> {
  /** Bytes that its body may have, after inflating. The event loop stands still while it is parsed. */
  bodyLimit?: number;
  handle(request: RouteRequest<Body, Query>): Answer | Promise<Answer>;
}

/** Types a route's handler by its schemas. */
export function route<Body = undefined, Query = undefined>(described: Route<Body, Query>): Route {
  return described as unknown as Route;
}

/** The names of a path's parameters, in their order. */
export function parametersOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
}

/** Errors of every route that reads a body. */
export const bodyErrors = [
  'bad_request',
  'malformed_json',
  'request_timeout',
  'body_too_large',
  'unsupported_media_type',
  'invalid_input',
] as const satisfies readonly ErrorCode[];
