import { createJiti } from 'jiti';

const jiti = createJiti(import.meta.url, { fsCache: false });

/**
 * Imports a file as the server does a plugin's: TypeScript as it is, and `cloudeasyml` by Node itself.
 *
 * @param file relative to the repository's root
 */
export function importPlugin<Module>(file: string): Promise<Module> {
  return jiti.import<Module>(`../../${file}`);
}
