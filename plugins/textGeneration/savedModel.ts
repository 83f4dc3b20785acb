import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A link to the folder that was saved last. */
const currentName = 'current';

/** @returns the exported folder that was saved last below `directory`, if there is one */
export function savedModelIn(directory: string): string | undefined {
  const current = path.join(directory, currentName);
  return existsSync(current) ? realpathSync(current) : undefined;
}

/**
 * Saves the files of an exported folder below `directory`. They become the current ones all at once:
 * a load meanwhile reads either all of the old files or all of the new.
 */
export async function saveModel(
  directory: string,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const before = savedModelIn(directory);
  const name = randomUUID();
  await mkdir(path.join(directory, name));
  for (const [file, content] of files) await writeFile(path.join(directory, name, file), content);
  const link = path.join(directory, `${name}.link`);
  await symlink(name, link);
  await rename(link, path.join(directory, currentName));

  // The one before may be read at this moment; those before that are not.
  const kept = [currentName, name, before && path.basename(before)];
  const others = (await readdir(directory)).filter((entry) => !kept.includes(entry));
  for (const entry of others) await rm(path.join(directory, entry), { recursive: true });
}
