import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { CloudEasyMLError } from '../errors.js';
import { readText } from '../validation/textFile.js';

/** The names of an output's classes, in the order of a row's values; or such a list by output. */
export type Labels = string[] | Record<string, string[]>;

const nameRule = 'a class name';
const listRule = 'a list of class names';
const byOutput = 'a mapping from outputs to such lists';

// YAML reads the names of digits as numbers.
const className = z.union([z.string().min(1), z.number().transform(String)], { error: nameRule });
const classNames = z.array(className, { error: listRule }).min(1, listRule);
const classNamesByOutput = z.record(z.string(), classNames);

/** `serving.labels` of a deployment. */
export const labelsSchema = z.union([classNames, classNamesByOutput], {
  error: `${listRule}, or ${byOutput}`,
});

/** `serving.labels` of a config.yaml, where a file may hold them. */
export const labelsOrFileSchema = z.union([z.string().min(1), classNames, classNamesByOutput], {
  error: `${listRule}, ${byOutput}, or the path of a text file`,
});

/**
 * Reads the labels' file, where a plugin's config.yaml names one: a text file with one on each line.
 *
 * @param directory the plugin's folder, which the path is relative to
 * @param configFile the file that names it
 * @throws CloudEasyMLError `invalid_input` where there is no such file, or a line in it is empty
 */
export async function readLabels(
  labels: z.output<typeof labelsOrFileSchema> | undefined,
  directory: string,
  configFile: string,
): Promise<Labels | undefined> {
  if (typeof labels !== 'string') return labels;
  const file = path.resolve(directory, labels);
  const refuse = (message: string): never => {
    throw new CloudEasyMLError('invalid_input', message, { path: 'serving.labels' });
  };
  if (!existsSync(file)) {
    refuse(`${configFile}: serving.labels names ${labels}, and there is no file ${file}.`);
  }
  const lines = (await readText(file)).replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) refuse(`${file}: expected ${nameRule} on each line but it has none.`);
  const empty = lines.indexOf('');
  if (empty >= 0) {
    refuse(`${file}, line ${empty + 1}: expected ${nameRule} but received an empty line.`);
  }
  return lines;
}
