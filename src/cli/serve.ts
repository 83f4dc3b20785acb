import { startServer } from '../server/server.js';
import { loadSettings } from '../settings/loadSettings.js';
import { settingsHelp } from '../settings/settingsTable.js';
import { createLogger } from '../telemetry/logger.js';

/**
 * Serves until SIGTERM or SIGINT. The log goes to standard output, a JSON object per line; what a person
 * needs at the start goes to standard error.
 *
 * @returns the exit code
 * @throws CloudEasyMLError where the settings don't allow a start
 */
export async function runServe(args: string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(settingsHelp());
    return 0;
  }
  const { settings, warnings } = loadSettings({ args });
  const logger = createLogger(settings.logLevel);
  for (const warning of warnings) logger.warn(warning);
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const server = await startServer(settings, logger);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  if (server.newAdminKey) {
    say(`Admin key (shown this once, keep it): ${server.newAdminKey}`);
  }
  say(`CloudEasyML listens on ${server.url} (reference: ${server.url}/docs)`);
  logger.info({ url: server.url }, 'listening');
  const signal = await stopped;
  logger.info({ signal }, 'stopping');
  await server.close();
  return 0;
}
