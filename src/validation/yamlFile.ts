import { EVENT_ID, type Event, getScalarValue, load, parseEvents, YAMLException } from 'js-yaml';
import { CloudEasyMLError } from '../errors.js';
import { printValue } from './faults.js';
import { readText } from './textFile.js';

/** A YAML file whose document is a mapping. */
export interface YamlFile {
  file: string;
  /** `{}` where the file is empty. */
  value: Record<string, unknown>;
  /** The line, counted from 1, of the key or list item at a path; undefined where there is none. */
  lineOf: (path: readonly PropertyKey[]) => number | undefined;
}

/**
 * Reads a YAML file.
 *
 * @throws CloudEasyMLError `invalid_input` where it cannot be read, is not YAML or not a mapping, naming the line
 */
export async function readYaml(file: string): Promise<YamlFile> {
  return parseYaml(await readText(file), file);
}

/**
 * The same for a file's text.
 *
 * @throws CloudEasyMLError `invalid_input`
 */
export function parseYaml(source: string, file: string): YamlFile {
  const value = parse(source, file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CloudEasyMLError(
      'invalid_input',
      `${file}: expected a mapping of settings but received ${printValue(value)}.`,
    );
  }
  return { file, value: { ...value }, lineOf: (path) => lineOf(source, path) };
}

function parse(source: string, file: string): unknown {
  try {
    // js-yaml refuses a document that is not there; for settings that only means none.
    if (source.split('\n').every((line) => /^\s*(#|$)/.test(line))) return {};
    return load(source) ?? {};
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark ? `, line ${error.mark.line + 1}` : '';
    throw new CloudEasyMLError(
      'invalid_input',
      `${file}${line}: not valid YAML: ${error.reason}.`,
      {
        cause: error,
      },
    );
  }
}

/** Where the parser met a key: it keeps no positions in what it constructs, only in its events. */
function lineOf(source: string, path: readonly PropertyKey[]): number | undefined {
  const events = parseEvents(source, {});
  let at = 1;
  let position: number | undefined;
  for (const step of path) {
    const found = child(events, at, step, source);
    if (!found) break;
    ({ value: at, position } = found);
  }
  return position === undefined ? undefined : source.slice(0, position).split('\n').length;
}

/** The child of the collection at `events[at]` under a key or index: its value's event, and where it starts. */
export function child(events: Event[], at: number, step: PropertyKey, source: string) {
  const parent = events[at];
  const isMapping = parent?.type === EVENT_ID.MAPPING;
  if (!isMapping && parent?.type !== EVENT_ID.SEQUENCE) return undefined;
  let index = at + 1;
  for (let count = 0; events[index] && events[index]!.type !== EVENT_ID.POP; count++) {
    const first = events[index]!;
    const value = isMapping ? skip(events, index) : index;
    const name =
      isMapping && first.type === EVENT_ID.SCALAR ? getScalarValue(source, first) : count;
    if (name === step) return { value, position: start(first) };
    index = skip(events, value);
  }
  return undefined;
}

function start(event: Event): number | undefined {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start;
  return undefined;
}

/** The index of the event after the node at `index`. */
function skip(events: Event[], index: number): number {
  let depth = 0;
  let next = index;
  do {
    const { type } = events[next]!;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth++;
    if (type === EVENT_ID.POP) depth--;
    next++;
  } while (depth > 0);
  return next;
}
