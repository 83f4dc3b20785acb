import { createJiti } from 'jiti';

const jiti = createJiti(import.meta.url, { fsCache: false });

/** Imports a file of a bundled plugin as the server does: TypeScript as it is. */
export function importPlugin<Module>(file: string): Promise<Module> {
  return jiti.import<Module>(`../../plugins/${file}`);
}
