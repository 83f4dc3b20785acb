import { beforeAll, describe, expect, test } from 'vitest';
import { discoverPlugins } from '../../dist/plugin/discovery.js';
import { adderSource, temporaryFolder, useTemporaryData } from './temporaryFolder.js';

beforeAll(useTemporaryData);

/** Why a plugin with these requirements is broken; undefined where it is served. */
async function reasonFor(requirements: string[], files: Record<string, string> = {}) {
  const named = Object.entries(files).map(([name, content]) => [`adder/${name}`, content]);
  const folder = await temporaryFolder({
    'adder/index.ts': adderSource({ metadata: `requirements: ${JSON.stringify(requirements)}` }),
    ...Object.fromEntries(named),
  });
  const { broken } = await discoverPlugins([folder]);
  return broken[0]?.reason.replaceAll(folder, '<plugins>');
}

const installed = (name: string, version: string) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version, exports: {} }),
});

describe('requirements', () => {
  test('that the server’s own packages meet', async () => {
    expect(
      await reasonFor(['zod', 'semver@^7.0.0', 'cloudeasyml@>=0.1.0', '@nozbe/simdjson']),
    ).toBeUndefined();
  });

  test('that the plugin’s folder meets, scoped or not, whatever their exports hide', async () => {
    const files = { ...installed('tool', '2.3.4'), ...installed('@me/tool', '1.0.0-beta.1') };
    expect(await reasonFor(['tool@2', '@me/tool@^1.0.0-alpha', '@me/tool'], files)).toBeUndefined();
  });

  test('that are missing, with the command that installs each', async () => {
    expect(await reasonFor(['zod', 'no-such-tool', '@me/tool@^1.2.0'])).toBe(
      'It needs the package no-such-tool, which is not installed. ' +
        'Install it with: npm install no-such-tool (in <plugins>/adder). ' +
        'It needs the package @me/tool, which is not installed. ' +
        'Install it with: npm install "@me/tool@^1.2.0" (in <plugins>/adder).',
    );
  });

  test('that another version meets not: the folder’s own counts', async () => {
    expect(await reasonFor(['semver@^7.0.0'], installed('semver', '5.1.0'))).toBe(
      'It needs semver@^7.0.0, but version 5.1.0 is installed. ' +
        'Install it with: npm install "semver@^7.0.0" (in <plugins>/adder).',
    );
  });

  test('that are written another way', async () => {
    for (const requirement of ['sharp>=0.30', 'a b', '', '../up', 'tool@not a range', 'tool@']) {
      expect(await reasonFor([requirement])).toBe(
        'requirements: expected "name" or "name@range", such as "sharp@^0.35.0", ' +
          `but received ${JSON.stringify(requirement)}.`,
      );
    }
  });
});

describe('the plugin’s package.json', () => {
  const dependencies = (all: Record<string, string>) => ({
    'package.json': JSON.stringify({ name: 'adder', dependencies: all }),
  });

  test('counts before the code is run', async () => {
    const files = {
      ...dependencies({ 'no-such-tool': '^3.0.0', zod: '^4.0.0' }),
      'index.ts': "throw new Error('the code was run');",
    };
    expect(await reasonFor([], files)).toBe(
      'It needs the package no-such-tool, which is not installed. ' +
        'Install it with: npm install "no-such-tool@^3.0.0" (in <plugins>/adder).',
    );
  });

  test('may name versions in npm’s other ways', async () => {
    const files = {
      ...dependencies({ tool: 'github:me/tool', zod: 'latest' }),
      ...installed('tool', '0.0.0'),
    };
    expect(await reasonFor([], files)).toBeUndefined();
  });

  test('that is no JSON is named', async () => {
    expect(await reasonFor([], { 'package.json': '{' })).toBe(
      '<plugins>/adder/package.json: not valid JSON.',
    );
  });
});
