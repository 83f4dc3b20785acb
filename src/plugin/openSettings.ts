import { realpathSync } from 'node:fs';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { printPath, type ValuePath } from '../validation/valuePath.js';
import { isMapping, type Mapping } from './mappings.js';

/** `path`, `weights_file`, `modelPath`, `cacheDir`. */
const pathKey =
  /(?:^|[_-])(?:path|file(?:name)?|folder|directory|dir)$|[a-z\d](?:Path|File(?:[nN]ame)?|Folder|Directory|Dir)$/;

const webAddress = /^(?:https?|wss?):\/\/[^\\]*$/i;

/**
 * Whether a text in a setting may name a file: it has a slash, or stands under a key that says so. Web
 * addresses don't, unless they lead upwards, which would lead out of a folder if they were read as a path.
 */
function readsAsPath(text: string, key: string): boolean {
  if (webAddress.test(text) && !text.split('/').includes('..')) return false;
  return /[/\\]/.test(text) || /^(?:\.\.?$|~)/.test(text) || pathKey.test(key);
}

/**
 * A deployment's settings, none of which names a file of the server's that the plugin's config.yaml has
 * not opened.
 *
 * @param open `serving.openSettings`: for a setting's dotted name the folder that its path must lie in,
 *   or `any`
 * @returns the settings, with the paths made absolute
 * @throws CloudEasyMLError `invalid_input` with the setting's path
 */
export function admitPaths(settings: Mapping, open: Record<string, string> = {}): Mapping {
  const admit = (value: unknown, at: ValuePath): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => admit(item, [...at, index]));
    if (isMapping(value)) {
      const members = Object.entries(value).map(([key, inner]) => {
        if (readsAsPath(key, '')) refuse([...at, key], notOpened([...at, key]));
        return [key, admit(inner, [...at, key])] as const;
      });
      // Not by assignment, which would take the key __proto__ for the prototype.
      return Object.fromEntries(members);
    }
    if (typeof value !== 'string') return value;
    const keys = at.filter((step) => typeof step === 'string');
    const name = keys.join('.');
    const opened = Object.hasOwn(open, name) ? open[name]! : undefined;
    if (opened === 'any') return value;
    if (opened !== undefined) return pathWithin(opened, value, at);
    if (readsAsPath(value, keys.at(-1) ?? '')) refuse(at, notOpened(at));
    return value;
  };
  return admit(settings, []) as Mapping;
}

function notOpened(at: ValuePath): string {
  const name = at.filter((step) => typeof step === 'string').join('.');
  return (
    'a deployment can’t set this to what may be a path. Set it in the plugin’s config.yaml, or open ' +
    `${name} for deployments there, under serving.openSettings`
  );
}

function pathWithin(folder: string, given: string, at: ValuePath): string {
  const file = real(path.resolve(folder, given));
  const root = real(folder);
  if (file !== undefined && root !== undefined && isWithin(root, file)) return file;
  return refuse(at, 'expected a path in the folder that the plugin’s config.yaml opens for it');
}

function isWithin(folder: string, file: string): boolean {
  return file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** The path without links, which may lead elsewhere; undefined where nothing is there. */
function real(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}

function refuse(at: ValuePath, why: string): never {
  const where = printPath(['config', ...at]);
  throw new CloudEasyMLError('invalid_input', `${where}: ${why}.`, { path: where });
}
