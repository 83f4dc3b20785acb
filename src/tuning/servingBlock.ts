import { isDeepStrictEqual } from 'node:util';
import { EVENT_ID, type Event, load, parseEvents } from 'js-yaml';
import { CloudEasyMLError } from '../errors.js';
import { child } from '../validation/yamlFile.js';

interface Edit {
  from: number;
  to: number;
  text: string;
}

/**
 * Sets numbers of a config.yaml's `serving:` block. Everything else stays as it is to the byte, comments
 * included: what is constructed from YAML and written anew would lose them.
 *
 * @param source the file's content, which may be empty
 * @returns the new content
 * @throws CloudEasyMLError bad_request where the block is written in a way that this can't edit
 */
export function setServing(source: string, values: Readonly<Record<string, number>>): string {
  const before = parsed(source) as Record<string, unknown>;
  const edited = apply(source, editsFor(source, values));
  const expected = { ...before, serving: { ...(before.serving as object | null), ...values } };
  // The structure may be one that was not thought of: an anchor, several documents, a tag.
  if (isDeepStrictEqual(parsed(edited), expected)) return edited;
  throw new CloudEasyMLError(
    'bad_request',
    `The serving: block is written in a way that can't be edited; set ${lines(values, ' ').join(', ')} in it by hand.`,
  );
}

/** A mapping, empty where there is no document; undefined for what is no YAML. */
function parsed(source: string): unknown {
  try {
    return parseEvents(source, {}).length === 0 ? {} : (load(source) ?? {});
  } catch {
    return undefined;
  }
}

function lines(values: Readonly<Record<string, number>>, separator: string): string[] {
  return Object.entries(values).map(([key, value]) => `${key}:${separator}${value}`);
}

function editsFor(source: string, values: Readonly<Record<string, number>>): Edit[] {
  const events = parseEvents(source, {});
  const root = events.findIndex(({ type }) => type !== EVENT_ID.DOCUMENT);
  const block = root < 0 ? undefined : child(events, root, 'serving', source);
  if (!block) {
    const gap = source === '' || source.endsWith('\n') ? '' : '\n';
    const text = `${gap}serving:\n${lines(values, ' ')
      .map((line) => `  ${line}\n`)
      .join('')}`;
    return [{ from: source.length, to: source.length, text }];
  }
  if (events[block.value]?.type !== EVENT_ID.MAPPING) {
    // "serving:" with nothing behind it.
    const at = source.indexOf(':', block.position) + 1;
    const text = lines(values, ' ')
      .map((line) => `\n  ${line}`)
      .join('');
    return [{ from: at, to: at, text }];
  }
  return editsOfMapping(source, events, block.value, values);
}

function editsOfMapping(
  source: string,
  events: Event[],
  mapping: number,
  values: Readonly<Record<string, number>>,
): Edit[] {
  const { start } = events[mapping] as { start: number };
  const isFlow = source[start] === '{';
  const lineStart = source.lastIndexOf('\n', start - 1) + 1;
  const indent = source.slice(lineStart, start);
  return Object.entries(values).map(([key, value]) => {
    const found = child(events, mapping, key, source);
    const event = found && events[found.value];
    if (event?.type === EVENT_ID.SCALAR) {
      return { from: event.valueStart, to: event.valueEnd, text: String(value) };
    }
    return isFlow
      ? { from: start + 1, to: start + 1, text: `${key}: ${value}, ` }
      : { from: start, to: start, text: `${key}: ${value}\n${indent}` };
  });
}

function apply(source: string, edits: Edit[]): string {
  // From the back, so that earlier positions stay right.
  return edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((text, { from, to, text: put }) => text.slice(0, from) + put + text.slice(to), source);
}
