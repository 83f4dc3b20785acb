/** Scopes whose runs the engine stops when the scope ends, such as streams. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** What runs belong to. */
export interface RunScope {
  /** Aborted when the scope ends. */
  readonly signal: AbortSignal;
  /** Between the two, synchronous runs belong to the scope. */
  enter(): void;
  leave(): void;
}

const scopes = new AsyncLocalStorage<RunScope>();
/** Spares threads without scopes the look-up. */
let anyScope = false;
/** Spares threads without sessions the scopes. */
let anySession = false;

/** A session has been made in this thread, so there may be runs. */
export function expectRuns(): void {
  anySession = true;
}

/** Whether there may be runs in this thread. */
export function mayRun(): boolean {
  return anySession;
}

/** Runs a function; what it runs, then and after whatever it awaits, belongs to the scope. */
export function inRunScope<T>(scope: RunScope, body: () => T): T {
  anyScope = true;
  return scopes.run(scope, body);
}

/** The calling code, and what it goes on to do, belongs to no scope any more. */
export function leaveRunScopes(): void {
  if (anyScope) scopes.enterWith(undefined as never);
}

/** The scope of the calling code. */
export function runScope(): RunScope | undefined {
  return anyScope ? scopes.getStore() : undefined;
}
