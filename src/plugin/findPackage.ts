import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** This package's own folder. */
export const ownFolder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** This package's name, which plugins import. */
export const ownName = 'cloudeasyml';

/** The package name in an import specifier: `@a/b` of `@a/b/c`; undefined for paths and URLs. */
export function packageName(specifier: string): string | undefined {
  return /^(@[^/:]+\/[^/:]+|[^@./\\:][^/\\:]*)(\/|$)/.exec(specifier)?.[1];
}

/**
 * The version of an installed package that code in a folder would get, or undefined where it would
 * get none. It looks where Node looks, but at the package.json itself, which a package's `exports`
 * may hide from `require.resolve`.
 */
export function installedVersion(name: string, folder: string): string | undefined {
  const places = createRequire(path.join(folder, 'index.js')).resolve.paths(name) ?? [];
  for (const place of places) {
    const file = path.join(place, name, 'package.json');
    if (existsSync(file)) return readPackage(file).version;
  }
  return undefined;
}

/**
 * The version of a package that a plugin gets: its own folder's, else the one this package brings.
 * This package's own name always means this very copy.
 */
export function versionForPlugin(name: string, folder: string): string | undefined {
  if (name === ownName) return readPackage(path.join(ownFolder, 'package.json')).version;
  return installedVersion(name, folder) ?? installedVersion(name, ownFolder);
}

interface PackageFile {
  version: string;
  dependencies: Record<string, string>;
}

/** What a package.json says; a missing version or list of dependencies reads as an empty one. */
export function readPackage(file: string): PackageFile {
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const content = typeof parsed === 'object' && parsed !== null ? parsed : {};
  const version = Reflect.get(content, 'version');
  const dependencies = Reflect.get(content, 'dependencies');
  return {
    version: typeof version === 'string' ? version : '0.0.0',
    dependencies: typeof dependencies === 'object' && dependencies !== null ? dependencies : {},
  };
}

/** The sentence that says how a package gets into a plugin's folder. */
export function installHint(wanted: string, directory: string): string {
  // Ranges such as >=1 or ^1 mean something else to a shell.
  const argument = /^[\w@/.~-]+$/.test(wanted) ? wanted : `"${wanted}"`;
  return `Install it with: npm install ${argument} (in ${directory}).`;
}
