/**
 * Every error that the server, the engine or a script answers with. `docs/errors.md` repeats this
 * table, and a test holds the two together.
 */
export const errorTable = {
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  bad_request: { status: 400, title: 'The request is malformed' },
  key_missing: { status: 401, title: 'An API key is needed' },
  key_invalid: { status: 401, title: 'The API key is not valid' },
  forbidden: { status: 403, title: 'The API key does not permit this' },
  route_not_found: { status: 404, title: 'There is no such route' },
  model_not_found: { status: 404, title: 'There is no such model' },
  deployment_not_found: { status: 404, title: 'There is no such deployment' },
  stream_not_found: { status: 404, title: 'There is no such stream on the connection' },
  key_not_found: { status: 404, title: 'There is no such API key' },
  method_not_allowed: { status: 405, title: 'The route does not know this method' },
  request_timeout: { status: 408, title: 'The body did not arrive in time' },
  conflict: { status: 409, title: 'The request conflicts with the state of the server' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be JSON' },
  invalid_input: { status: 422, title: 'The input does not fit' },
  rate_limited: { status: 429, title: 'The API key is over its rate limit' },
  plugin_failed: { status: 500, title: 'The plugin failed' },
  model_load_failed: { status: 500, title: 'The model did not load' },
  runtime_failed: { status: 500, title: 'ONNX Runtime failed' },
  library_unavailable: { status: 500, title: 'The ONNX Runtime library cannot be used' },
  provider_unavailable: { status: 500, title: 'An execution provider cannot be used' },
  invalid_settings: { status: 500, title: 'The settings are not valid' },
  internal: { status: 500, title: 'The server failed' },
  cancelled: { status: 499, title: 'The request was cancelled' },
  overloaded: { status: 503, title: 'The queue is full' },
  starting: { status: 503, title: 'The server is starting' },
  draining: { status: 503, title: 'The server is shutting down' },
  deployment_unavailable: { status: 503, title: 'The deployment is not serving' },
  worker_lost: { status: 503, title: 'The worker that ran the request was lost' },
  deadline_exceeded: { status: 504, title: 'The request took too long' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorTable;

/** An error with a code from {@link errorTable}; its message is a full sentence for whoever caused it. */
export class CloudEasyMLError extends Error {
  override readonly name = 'CloudEasyMLError';
  readonly code: ErrorCode;
  /** Where in the input the fault is, such as `data[2]` or `config.serving.maxBatchSize`. */
  readonly path: string | undefined;

  constructor(code: ErrorCode, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.path = options.path;
  }
}
