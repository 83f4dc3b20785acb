import { realpathSync } from 'node:fs';
import path from 'node:path';
import { CloudEasyMLError } from '../errors.js';
import { printPath, type ValuePath } from '../validation/valuePath.js';
import { isMapping, type Mapping } from './mappings.js';

/** `path`, `weights_file`, `modelPath`, `cacheDir`. */
const pathKey =
  /(?:^|[_-])(?:path|file(?:name)?|folder|directory|dir)$|[a-z\d](?:Path|File(?:[nN]ame)?|Folder|Directory|Dir)$/;

/** Settings are read by people; what is deeper would only run a reader out of stack. */
const deepest = 32;

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
 * A deployment's settings, as far as the plugin's config.yaml lets it have them. A file of the server's
 * is only named by those that config.yaml opens.
 *
 * @param overrides `serving.overrides`: for a setting's dotted name the folder that its path must lie in,
 *   `any`, or `none`
 * @returns the settings, with the paths made absolute
 * @throws CloudEasyMLError `invalid_input` with the setting's path
 */
export function admitOverrides(settings: Mapping, overrides: Record<string, string> = {}): Mapping {
  const closed = Object.keys(overrides).filter((name) => overrides[name] === 'none');
  const admit = (value: unknown, at: ValuePath): unknown => {
    if (at.length > deepest) {
      refuse(at.slice(0, 1), `expected settings that are at most ${deepest} levels deep`);
    }
    const name = nameOf(at);
    const rule = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
    if (rule === 'none') refuse(at, onlyInFile);
    if (isMapping(value)) return admitMembers(value, at);
    // It would replace the mapping that holds a setting which is closed.
    if (closed.some((inner) => inner.startsWith(`${name}.`))) refuse(at, onlyInFile);
    if (Array.isArray(value)) return value.map((item, index) => admit(item, [...at, index]));
    if (typeof value !== 'string' || rule === 'any') return value;
    if (rule !== undefined) return pathWithin(rule, value, at);
    if (readsAsPath(value, name.split('.').at(-1)!)) refuse(at, notOpened(name));
    return value;
  };
  const admitMembers = (mapping: Mapping, at: ValuePath): Mapping => {
    const members = Object.entries(mapping).map(([key, value]) => {
      const place = [...at, key];
      if (readsAsPath(key, '')) refuse(place, notOpened(nameOf(place)));
      return [key, admit(value, place)] as const;
    });
    // Not by assignment, which would take the key __proto__ for the prototype.
    return Object.fromEntries(members);
  };
  return admitMembers(settings, []);
}

const onlyInFile = 'this can only be set in the plugin’s config.yaml';

/** A setting's dotted name; a list's items have that of the list. */
function nameOf(at: ValuePath): string {
  return at.filter((step) => typeof step === 'string').join('.');
}

function notOpened(name: string): string {
  return (
    'a deployment can’t set this to what may be a path. Set it in the plugin’s config.yaml, or open ' +
    `${name} for deployments there, under serving.overrides`
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
