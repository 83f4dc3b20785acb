import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudEasyMLError } from '../errors.js';
import { installHint, packageName } from './findPackage.js';

/**
 * What plugin code threw, in one line: its kind, its message, and where in the plugin it arose.
 *
 * @param directory the plugin's folder; places are given relative to it
 */
export function describePluginError(error: unknown, directory: string): string {
  if (error instanceof CloudEasyMLError) return error.message;
  if (!(error instanceof Error))
    return `It threw ${JSON.stringify(error) ?? String(error)}, which is not an Error.`;
  return (
    missingModule(error, directory) ?? syntaxError(error, directory) ?? thrown(error, directory)
  );
}

function thrown(error: Error, directory: string): string {
  const message = error.message.split('\n')[0]!;
  const place = placeInPlugin(error, directory);
  return `${error.name}: ${message}${place ? ` (${place})` : ''}`;
}

/** jiti writes a syntax error as "ParseError: what \n file:line:column". */
function syntaxError(error: Error, directory: string): string | undefined {
  const [, what, file, line, column] =
    /^ParseError: ([^\n]*?)\s*\n\s*(.+):(\d+):(\d+)\s*$/.exec(error.message) ?? [];
  if (!what || !file) return undefined;
  return `SyntaxError: ${what} (${path.relative(directory, file)}:${line}:${column})`;
}

function missingModule(error: Error, directory: string): string | undefined {
  const [, specifier] = /^Cannot find (?:module|package) '([^']+)'/.exec(error.message) ?? [];
  if (!specifier) return undefined;
  const importer = /Require stack:\n- (.+)/.exec(error.message)?.[1];
  const by = importer ? `${path.relative(directory, importer)} imports` : 'It imports';
  const name = packageName(specifier);
  return name === undefined
    ? `${by} ${specifier}, and there is no such file.`
    : `${by} the package ${name}, which is not installed. ${installHint(name, directory)}`;
}

/** The innermost stack frame in the plugin's own files, as file:line:column. */
export function placeInPlugin(error: Error, directory: string): string | undefined {
  for (const line of (error.stack ?? '').split('\n')) {
    const [, file, position] = /^\s+at (?:.*\()?(.+?):(\d+:\d+)\)?$/.exec(line) ?? [];
    if (!file) continue;
    const inside = path.relative(directory, file.startsWith('file:') ? fileURLToPath(file) : file);
    if (!inside.startsWith('..') && !inside.includes('node_modules'))
      return `${inside}:${position}`;
  }
  return undefined;
}
