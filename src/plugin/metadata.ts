import semver from 'semver';
import { z } from 'zod';
import { mapping, type Place, validate } from '../validation/validate.js';
import type { ModelMetadata } from './baseModel.js';
import { modelNamePattern } from './modelDirectory.js';

const text = z.string({ error: 'text' });
const texts = z.array(text, { error: 'a list of texts' });
const amount = z.number({ error: 'a number of at least 0' }).min(0, 'a number of at least 0');
const nameRule = 'a name of letters, digits, ".", "_" and "-" that starts with a letter or digit';
const versionRule = 'a semantic version such as "1.0.0"';
const dateRule = 'a date such as "2026-01-31T12:00:00Z"';

const name = z.string({ error: nameRule }).regex(modelNamePattern, nameRule);
const version = z
  .string({ error: versionRule })
  .refine((value) => semver.valid(value) === value, versionRule);

/** What `getMetadata()` and a `metadata:` block may both say. */
const described = {
  description: text.default(''),
  author: text.default(''),
  createdAt: z
    .string({ error: dateRule })
    .refine((value) => !Number.isNaN(Date.parse(value)), dateRule)
    .optional(),
  tags: texts.default([]),
  requirements: texts.default([]),
  gpuRequired: z.boolean({ error: 'true or false' }).default(false),
  minMemoryGb: amount.default(0),
  estimatedCostPerRequest: amount.default(0),
};

const ofCode = mapping({ name, version, ...described }, 'metadata');
const ofFolder = mapping({ version: version.default('1.0.0'), ...described }, 'metadata');

/**
 * Completes what a plugin's `getMetadata()` answered.
 *
 * @param createdAt the folder's date, where the plugin gives none
 * @throws CloudEasyMLError `invalid_input` with a sentence for each fault
 */
export function completeMetadata(answer: unknown, createdAt: string): ModelMetadata {
  const known = validate(ofCode, answer, { path: ['getMetadata()'] });
  return { ...known, createdAt: known.createdAt ?? createdAt };
}

/**
 * The metadata of a plugin with no code: its folder's name, and its `metadata:` block.
 *
 * @throws CloudEasyMLError `invalid_input` with a sentence for each fault
 */
export function metadataOfFolder(
  folder: string,
  block: unknown,
  createdAt: string,
  place: Place,
): ModelMetadata {
  validate(name, folder, { path: ['the folder’s name'] });
  const known = validate(ofFolder, block ?? {}, place);
  return { name: folder, ...known, createdAt: known.createdAt ?? createdAt };
}
