import { realpathSync } from 'node:fs';
import { CloudEasyMLError } from './errors.js';

const hidden = '[server path]';

/** A plugin's error may quote all of what a client sent. */
const longest = 2000;

/** What a path may consist of where no quotes say where it ends. */
const pathText = `[^\\s"'\`:;,()<>|[\\]{}]`;
/** Not a web address, whose path comes after a host, nor the slash in "and/or". */
const barePath = new RegExp(
  `(?<![\\w.<\\\\/-])(?:file://)?/(?!/)${pathText}+[^\\s"'\`:;,.()<>|[\\]{}]`,
  'g',
);
const quotedPath = /(["'`])(?:file:\/\/)?\/[^"'`\n]{2,}\1/g;

/** JSON.parse() quotes the text that it could not read, of which one line may be left. */
const quotedJson =
  /(?:Unexpected token .{1,8}, )?(?:\.\.\.)?"[\s\S]*?"(?:\.\.\.)? is not valid JSON|Unexpected token .{1,8}, (?:\.\.\.)?"[\s\S]*$/g;

/**
 * An error's text for clients: without paths of the server, without what its files hold, and not too long.
 *
 * @param pluginFolder what lies in it is named relative to it
 */
export function withoutServerPaths(text: string, pluginFolder?: string): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  let shown = short.replace(quotedJson, 'what was read is not valid JSON');
  if (pluginFolder) {
    for (const folder of new Set([pluginFolder, real(pluginFolder)])) {
      shown = shown.replaceAll(`file://${folder}/`, '').replaceAll(`${folder}/`, '');
    }
  }
  return shown.replace(quotedPath, `$1${hidden}$1`).replace(barePath, hidden);
}

/** An error as a client may have it; its cause is the whole one, for the log. */
export function errorForClient(error: unknown, pluginFolder?: string): CloudEasyMLError {
  const message = error instanceof Error ? error.message : String(error);
  const [code, path] =
    error instanceof CloudEasyMLError ? [error.code, error.path] : (['internal'] as const);
  return new CloudEasyMLError(code, withoutServerPaths(message, pluginFolder), {
    ...(path !== undefined && { path }),
    cause: error,
  });
}

/** The folder without links: errors name whichever was at hand. */
function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
