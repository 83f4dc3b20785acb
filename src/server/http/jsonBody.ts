import { CloudEasyMLError } from '../../errors.js';

/** No management request needs more, and code that walks the value may recurse this deep. */
const maxDepth = 64;

const token =
  /[ \t\n\r]*(?:([{}[\],:])|("[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*")|(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null))/uy;

type Expected = 'a value' | 'a value or "]"' | 'a key or "}"' | 'a key' | '":"' | 'the end' | Next;
type Next = '"," or "]"' | '"," or "}"';

function reject(text: string, position: number, what: string): never {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  throw new CloudEasyMLError(
    'malformed_json',
    `The body is not valid JSON: ${what} at position ${position} (line ${line}, column ${column}).`,
  );
}

/** Walks the tokens with an explicit stack, because `JSON.parse` tells no position for most faults. */
function check(text: string): void {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'a value';
  const afterValue = (): Expected => {
    const inside = open[open.length - 1];
    if (inside === undefined) return 'the end';
    return inside === '[' ? '"," or "]"' : '"," or "}"';
  };
  token.lastIndex = 0;
  for (;;) {
    const start = token.lastIndex;
    const match = token.exec(text);
    if (!match) {
      const position = start + (/^[ \t\n\r]*/.exec(text.slice(start))?.[0].length ?? 0);
      const ended = position === text.length;
      if (ended && expected === 'the end') return;
      reject(text, position, `expected ${expected} but ${ended ? 'it ends' : 'found other text'}`);
    }
    const mark = match[1];
    const string = match[2];
    const position = token.lastIndex - match[0].trimStart().length;
    const wrong = () => {
      const found = match[0].trim();
      const shown = found.length > 40 ? `${found.slice(0, 40)}…` : found;
      reject(text, position, `expected ${expected} but found ${shown}`);
    };
    if (mark === '{' || mark === '[') {
      if (!expected.startsWith('a value')) wrong();
      open.push(mark);
      if (open.length > maxDepth) reject(text, position, `more than ${maxDepth} levels of nesting`);
      expected = mark === '{' ? 'a key or "}"' : 'a value or "]"';
    } else if (mark === '}' || mark === ']') {
      if (!expected.endsWith(`"${mark}"`)) wrong();
      open.pop();
      expected = afterValue();
    } else if (mark === ',') {
      if (!expected.startsWith('","')) wrong();
      expected = open[open.length - 1] === '{' ? 'a key' : 'a value';
    } else if (mark === ':') {
      if (expected !== '":"') wrong();
      expected = 'a value';
    } else if (expected.startsWith('a key')) {
      if (string === undefined) wrong();
      expected = '":"';
    } else {
      if (!expected.startsWith('a value')) wrong();
      expected = afterValue();
    }
  }
}

/**
 * Parses a body.
 *
 * @throws CloudEasyMLError `malformed_json` with the position of the fault
 */
export function parseJsonBody(body: Uint8Array): unknown {
  if (body.byteLength === 0) {
    throw new CloudEasyMLError(
      'malformed_json',
      'Expected a JSON body, but the request has an empty one.',
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new CloudEasyMLError('malformed_json', 'The body is not valid UTF-8.');
  }
  check(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Only a raw control character in a string is left for this.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CloudEasyMLError('malformed_json', `The body is not valid JSON: ${reason}.`);
  }
}
