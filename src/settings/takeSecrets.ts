import { addon } from '../engine/addon.js';
import { settingsTable } from './settingsTable.js';

/**
 * Takes the secrets out of the process's environment, which plugins, their threads and their processes would
 * read them from. To be called as soon as the settings are read.
 */
export function takeSecrets(): void {
  for (const { variable, flag } of settingsTable) {
    if (flag) continue;
    addon.eraseVariable(variable);
    delete process.env[variable];
  }
}
