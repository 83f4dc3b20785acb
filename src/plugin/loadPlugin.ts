import path from 'node:path';
import { createJiti } from 'jiti';
import { CloudEasyMLError } from '../errors.js';
import type { BaseModel } from './baseModel.js';
import { dataDirectory } from './modelDirectory.js';
import { describePluginError } from './pluginError.js';
import { pluginModules } from './pluginModules.js';
import type { ServingConfig } from './servingConfig.js';

/** A code plugin's class. */
export type ModelClass = new (config: Record<string, unknown>) => BaseModel;

/** What loading needs of a plugin. */
export interface PluginCode {
  name: string;
  directory: string;
  /** Its index.ts, .js, .mts or .mjs. */
  entry: string;
}

const neededMethods = ['getMetadata', 'load', 'predict', 'train'] as const;

/**
 * Loads a code plugin's class into this thread: TypeScript as it is, without a build step.
 *
 * Every call reads the plugin's files anew, so a new deployment serves what they say now; a file that
 * did not change is not compiled again (the compiled text is kept below the data folder).
 *
 * @throws CloudEasyMLError `model_load_failed` with the file and line of what is wrong
 */
export async function loadModelClass(plugin: PluginCode): Promise<ModelClass> {
  const jiti = createJiti(plugin.entry, {
    fsCache: path.join(dataDirectory(), 'cache', 'plugins'),
    moduleCache: false,
    virtualModules: pluginModules(plugin.directory),
  });
  let exports: unknown;
  try {
    exports = await jiti.import(plugin.entry);
  } catch (error) {
    throw new CloudEasyMLError('model_load_failed', describePluginError(error, plugin.directory), {
      cause: error,
    });
  }
  return findModelClass(exports, path.basename(plugin.entry));
}

/**
 * Makes an instance as the server does: with its config, and the session options of its `serving:`
 * block. It is not loaded yet.
 *
 * @throws CloudEasyMLError `model_load_failed` where the constructor throws
 */
export function createModel(
  modelClass: ModelClass,
  plugin: PluginCode,
  { config, serving }: { config: Record<string, unknown>; serving: ServingConfig },
): BaseModel {
  try {
    const model = new modelClass(config);
    model.sessionOptions = { executionProviders: serving.executionProviders, ...serving.session };
    return model;
  } catch (error) {
    throw new CloudEasyMLError('model_load_failed', describePluginError(error, plugin.directory), {
      cause: error,
    });
  }
}

/**
 * The default export, or the only export that is a model's class. It is known by its methods: a class
 * need not extend this copy's BaseModel to be served.
 */
function findModelClass(exports: unknown, entry: string): ModelClass {
  const named = isObject(exports) ? exports : {};
  const preferred = Reflect.get(named, 'default');
  if (isClass(preferred)) return complete(preferred, 'the default export', entry);
  const classes = Object.entries(named).filter(([, value]) => isClass(value));
  const models = classes.filter(([, value]) => missingMethods(value).length === 0);
  if (models.length === 1) return complete(models[0]![1], models[0]![0], entry);
  if (models.length > 1) {
    const names = models.map(([name]) => name).join(' and ');
    return refuse(`${entry} exports several model classes, ${names}; make one the default export.`);
  }
  if (classes.length === 1) return complete(classes[0]![1], classes[0]![0], entry);
  return refuse(
    classes.length === 0
      ? `${entry} exports no class; expected one that extends BaseModel.`
      : `${entry} exports several classes, but none has the methods ${neededMethods.join(', ')}.`,
  );
}

function complete(value: unknown, name: string, entry: string): ModelClass {
  const missing = missingMethods(value);
  if (missing.length > 0 || !isModelClass(value)) {
    const methods = missing.map((method) => `${method}()`).join(', ');
    return refuse(`The class that ${entry} exports (${name}) has no method ${methods}.`);
  }
  return value;
}

function refuse(message: string): never {
  throw new CloudEasyMLError('model_load_failed', message);
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isClass(value: unknown): value is { prototype: object } {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

function isModelClass(value: unknown): value is ModelClass {
  return isClass(value) && missingMethods(value).length === 0;
}

function missingMethods(value: unknown): string[] {
  const prototype = isClass(value) ? value.prototype : {};
  return neededMethods.filter((method) => typeof Reflect.get(prototype, method) !== 'function');
}
