import { createRequire } from 'node:module';
import { installedVersion, ownFolder, ownName, packageName } from './findPackage.js';

const require = createRequire(import.meta.url);

/** The package's exports: the very modules that the server itself runs on. */
const packageExports: unknown = await import('../index.js');

/**
 * What a plugin's imports find beyond its own folder, as jiti's `virtualModules`: jiti asks for each
 * specifier whether it is `in` here before it looks for a file.
 *
 * - `cloudeasyml` and its subpaths are this very copy, wherever the plugin lies. A second copy would
 *   have another `BaseModel`, another `InputError`, and would load the engine again.
 * - A package that cannot be found from the plugin's folder, but from this package's, is taken from there.
 *
 * @param directory the plugin's folder
 */
export function pluginModules(directory: string): Record<string, unknown> {
  return new Proxy<Record<string, unknown>>(
    {},
    {
      has: (_, specifier) => typeof specifier === 'string' && isOurs(specifier, directory),
      get: (_, specifier) => (typeof specifier === 'string' ? load(specifier) : undefined),
    },
  );
}

function isOurs(specifier: string, directory: string): boolean {
  const name = packageName(specifier);
  if (name === undefined) return false;
  if (name === ownName) return true;
  return (
    installedVersion(name, directory) === undefined &&
    installedVersion(name, ownFolder) !== undefined
  );
}

/** CommonJS is there at once, also for a plugin's `require()`; an ES module comes as a promise. */
function load(specifier: string): unknown {
  if (specifier === ownName) return packageExports;
  if (packageName(specifier) !== ownName) {
    try {
      return require(specifier);
    } catch (error) {
      if (!isEsModuleOnly(error)) throw error;
    }
  }
  return import(import.meta.resolve(specifier)).then((namespace: object) =>
    // Without the mark, the code that jiti makes of `import x from` takes the namespace for x.
    Object.assign({ __esModule: true }, namespace),
  );
}

function isEsModuleOnly(error: unknown): boolean {
  const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return code === 'ERR_REQUIRE_ESM' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
}
