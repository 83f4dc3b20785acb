import { startServer } from '../server/server.js';
import { loadSettings } from '../settings/loadSettings.js';
import { settingsHelp } from '../settings/settingsTable.js';
import { takeSecrets } from '../settings/takeSecrets.js';
import { createLogger } from '../telemetry/logger.js';
import type { StopRequest } from './stopRequest.js';

/**
 * Serves until it is asked to stop, which may be while it starts. The log goes to standard output, a JSON
 * object per line; what a person needs at the start goes to standard error.
 *
 * @returns the exit code
 * @throws CloudEasyMLError where the settings don't allow a start
 */
export async function runServe(args: string[], stop: StopRequest): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(settingsHelp());
    return 0;
  }
  const { settings, warnings } = loadSettings({ args });
  takeSecrets();
  const logger = createLogger(settings.logLevel);
  for (const warning of warnings) logger.warn(warning);
  if (stop.isMade) return 0;
  const server = await startServer(settings, logger);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  if (server.newAdminKey) {
    say(`Admin key (shown this once, keep it): ${server.newAdminKey}`);
  }
  await Promise.race([server.ready, stop.made]);
  if (!stop.isMade) {
    say(`CloudEasyML listens on ${server.url} (reference: ${server.url}/docs)`);
    logger.info({ url: server.url }, 'listening');
  }
  logger.info({ reason: await stop.made }, 'stopping');
  await server.close();
  return 0;
}
