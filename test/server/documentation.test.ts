import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { permissions } from '../../dist/auth/permissions.js';
import { errorTable } from '../../dist/errors.js';
import { settingsTable } from '../../dist/settings/settingsTable.js';
import { LocalServer } from './support/localServer.js';

function document(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
}

/** The rows of a document's tables, cells trimmed, that begin with a code span. */
function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
}

describe('the documentation', () => {
  it('repeats the table of errors', () => {
    const rows = tableRows(document('errors.md')).map((cells) => cells.slice(0, 3));
    const expected = Object.entries(errorTable).map(([code, { status, title }]) => [
      `\`${code}\``,
      String(status),
      title,
    ]);
    expect(rows).toEqual(expected);
  });

  it('repeats the table of settings', () => {
    const expected = settingsTable.map((setting) => [
      `\`${setting.path}\``,
      `\`${setting.variable}\``,
      setting.flag ? `\`--${setting.flag}\`` : '',
      setting.defaultText,
      setting.description,
    ]);
    expect(tableRows(document('configuration.md'))).toEqual(expected);
  });

  it('describes every route and permission in api.md', async () => {
    const text = document('api.md');
    const server = await LocalServer.start();
    const { json } = await server.call('GET', '/openapi.json');
    for (const [path, methods] of Object.entries<object>(json.paths)) {
      for (const method of Object.keys(methods)) {
        expect(text).toContain(`\`${method.toUpperCase()} ${path}\``);
      }
    }
    for (const permission of permissions) expect(text).toContain(`| \`${permission}\` |`);
  });
});
