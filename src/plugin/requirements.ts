import { existsSync } from 'node:fs';
import path from 'node:path';
import semver from 'semver';
import { CloudEasyMLError } from '../errors.js';
import { installHint, readPackage, versionForPlugin } from './findPackage.js';

/** An npm package that a plugin needs. */
interface Requirement {
  name: string;
  /** A semver range; undefined takes any version. */
  range?: string;
}

/**
 * Checks a plugin's `requirements`.
 *
 * @param requirements "name" or "name@range", scoped or not
 * @param directory the plugin's folder
 * @throws CloudEasyMLError `model_load_failed` naming each package that is missing or of another
 *   version, and the command that installs it
 */
export function checkRequirements(requirements: readonly string[], directory: string): void {
  check(requirements.map(parseRequirement), directory);
}

/** Checks the `dependencies` of a plugin's own package.json, where it has one; see {@link checkRequirements}. */
export function checkDependencies(directory: string): void {
  const file = path.join(directory, 'package.json');
  if (!existsSync(file)) return;
  const dependencies = Object.entries(readDependencies(file));
  check(
    // npm also takes tags, folders and addresses there, which say nothing of a version.
    dependencies.map(([name, range]) =>
      semver.validRange(range) === null ? { name } : { name, range },
    ),
    directory,
  );
}

function readDependencies(file: string): Record<string, string> {
  try {
    return readPackage(file).dependencies;
  } catch (error) {
    throw new CloudEasyMLError('model_load_failed', `${file}: not valid JSON.`, { cause: error });
  }
}

function parseRequirement(requirement: string): Requirement {
  const [, name, range] = /^((?:@[\w.~-]+\/)?[\w.~-]+)(?:@(.+))?$/.exec(requirement) ?? [];
  if (name === undefined || (range !== undefined && semver.validRange(range) === null)) {
    throw new CloudEasyMLError(
      'model_load_failed',
      `requirements: expected "name" or "name@range", such as "sharp@^0.35.0", but received ` +
        `${JSON.stringify(requirement)}.`,
    );
  }
  return range === undefined ? { name } : { name, range };
}

function check(requirements: readonly Requirement[], directory: string): void {
  const faults = requirements.flatMap((requirement) => fault(requirement, directory) ?? []);
  if (faults.length > 0) throw new CloudEasyMLError('model_load_failed', faults.join(' '));
}

function fault({ name, range }: Requirement, directory: string): string | undefined {
  const version = versionForPlugin(name, directory);
  const wanted = range === undefined ? name : `${name}@${range}`;
  if (version === undefined) {
    return `It needs the package ${name}, which is not installed. ${installHint(wanted, directory)}`;
  }
  if (range === undefined || semver.satisfies(version, range, { includePrerelease: true })) {
    return undefined;
  }
  return `It needs ${wanted}, but version ${version} is installed. ${installHint(wanted, directory)}`;
}
