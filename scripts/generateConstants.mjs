// Writes what C++ and TypeScript both know, from native/constants.json: a header and a module. Both
// are committed; a test fails where they are stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const notice =
  '// Written by scripts/generateConstants.mjs from native/constants.json: edit that, and run\n' +
  '// npm run generate.\n';

/** `noDeployment` or `invalid_input` as the name of a C++ constant. */
function cppName(name) {
  return `k_${name}`.replace(/_(\w)/g, (_, first) => first.toUpperCase());
}

/** A comment in lines that are short enough for the formatters. */
function comment(text, indent, [first, next, last]) {
  const width = 100 - indent.length - next.length;
  const lines = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  if (first && lines.length === 1) return `${indent}${first} ${lines[0]}${last}\n`;
  const body = lines.map((line) => `${indent}${next}${line}\n`).join('');
  return first ? `${indent}${first}\n${body}${indent}${last}\n` : body;
}

const cppComment = (text, indent = '') => comment(text, indent, ['', '/// ', '']);
const tsComment = (text, indent = '') => comment(text, indent, ['/**', ' * ', ' */']);

function cppGroup({ name, kind, type, doc, members }) {
  const isEnum = kind === 'enum';
  const rows = Object.entries(members).map(([member, { value, doc }]) => {
    const row = isEnum
      ? `${cppName(member)} = ${value},`
      : `static constexpr ${type} ${cppName(member)} = ${value};`;
    return `${doc ? cppComment(doc, '  ') : ''}  ${row}\n`;
  });
  const head = isEnum ? `enum class ${name} : ${type}` : `struct ${name}`;
  return `${cppComment(doc)}${head} {\n${rows.join('')}};\n`;
}

function cppErrors(errors) {
  const codes = Object.keys(errors);
  return [
    cppComment('Codes of the error table.'),
    'enum class ErrorCode : uint8_t {\n',
    ...codes.map((code) => `  ${cppName(code)},\n`),
    '};\n\n',
    cppComment("The codes' names, in their order."),
    'inline constexpr const char* kErrorNames[] = {\n',
    ...codes.map((code) => `    "${code}",\n`),
    '};\n',
  ].join('');
}

function cppHeader({ errors, groups }) {
  return [
    '// What C++ and TypeScript both know.\n//\n',
    notice,
    '#pragma once\n\n#include <cstddef>\n#include <cstdint>\n\nnamespace cloudeasyml {\n',
    ...[cppErrors(errors), ...groups.map(cppGroup)].map((part) => `\n${part}`),
    '\n}  // namespace cloudeasyml\n',
  ].join('');
}

function tsGroup({ name, kind, doc, members }) {
  const rows = Object.entries(members).map(
    ([member, { value, doc }]) => `${doc ? tsComment(doc, '  ') : ''}  ${member}: ${value},\n`,
  );
  const type =
    kind === 'enum' ? `export type ${name} = (typeof ${name})[keyof typeof ${name}];\n` : '';
  return `${tsComment(doc)}export const ${name} = {\n${rows.join('')}} as const;\n${type}`;
}

function quoted(text) {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

function tsErrors(errors) {
  const rows = Object.entries(errors).map(
    ([code, { status, title }]) => `  ${code}: { status: ${status}, title: ${quoted(title)} },\n`,
  );
  return [
    tsComment('Every error that the server, the engine or a script answers with.'),
    `export const errorTable = {\n${rows.join('')}} as const;\n`,
  ].join('');
}

function tsModule({ errors, groups }) {
  return [
    '/** What C++ and TypeScript both know. */\n',
    notice,
    ...[tsErrors(errors), ...groups.map(tsGroup)].map((part) => `\n${part}`),
  ].join('');
}

/** What the generated files should hold, by their paths. */
export function generateConstants() {
  const constants = JSON.parse(readFileSync(path.join(root, 'native', 'constants.json'), 'utf8'));
  return {
    [path.join(root, 'native', 'generated', 'constants.h')]: cppHeader(constants),
    [path.join(root, 'src', 'generated', 'constants.ts')]: tsModule(constants),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, content] of Object.entries(generateConstants())) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
