import { type Logger, pino } from 'pino';

export type { Logger };

/**
 * The server's log: one JSON object per line on standard output.
 *
 * @param level the least severe level to write; `silent` for none
 */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
