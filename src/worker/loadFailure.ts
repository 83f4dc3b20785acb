import { CloudEasyMLError, type ErrorCode } from '../errors.js';
import { InputError } from '../plugin/baseModel.js';
import { describePluginError } from '../plugin/pluginError.js';

/** Why a plugin did not load, in a form that crosses threads. */
export interface LoadFailure {
  code: ErrorCode;
  message: string;
  path?: string;
  /** The plugin's own stack, for the log. */
  stack?: string;
}

/** @param directory the plugin's folder; places are given relative to it */
export function loadFailureOf(error: unknown, directory: string): LoadFailure {
  const origin = error instanceof CloudEasyMLError && error.cause ? error.cause : error;
  const stack = origin instanceof Error ? origin.stack : undefined;
  // A plugin that checks its settings in load() blames the deployment's config with it.
  if (error instanceof InputError) {
    const { path, message } = error;
    return { code: 'invalid_input', message: `${path}: ${message}`, path, stack };
  }
  if (error instanceof CloudEasyMLError) {
    return { code: error.code, message: error.message, stack };
  }
  return { code: 'model_load_failed', message: describePluginError(error, directory), stack };
}

/** The failure as an error of this thread. The log shows its cause, the plugin's stack. */
export function loadError({ code, message, path, stack }: LoadFailure): CloudEasyMLError {
  const cause = stack === undefined ? undefined : Object.assign(new Error(message), { stack });
  return new CloudEasyMLError(code, message, { path, cause });
}

export function loadTimedOut(timeoutMs: number): CloudEasyMLError {
  return new CloudEasyMLError(
    'model_load_failed',
    `The plugin did not finish loading within ${timeoutMs / 1000} s.`,
  );
}
