import { errorTable } from './generated/constants.js';

export { errorTable };

/** A code of the table, which `docs/errors.md` repeats. */
export type ErrorCode = keyof typeof errorTable;

/** An error with a code from {@link errorTable}; its message is a full sentence for the caller. */
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
