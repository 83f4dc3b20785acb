import { CloudEasyMLError } from '../errors.js';
import { nearestName } from '../validation/nearestName.js';
import type { ModelMetadata } from './baseModel.js';
import type { BrokenPlugin, Plugin } from './discovery.js';

/** The plugins that a server has, and those that it cannot serve. */
export class PluginCatalog {
  readonly plugins: readonly Plugin[];
  readonly broken: readonly BrokenPlugin[];
  readonly #byName = new Map<string, Plugin>();

  /** @param found in the order of their folders: of two with one name, the first is served */
  constructor(found: readonly (Plugin | BrokenPlugin)[]) {
    const broken: BrokenPlugin[] = [];
    for (const one of found) {
      if ('reason' in one) {
        broken.push(one);
        continue;
      }
      const first = this.#byName.get(one.name);
      if (first) {
        const reason = `The name ${one.name} is taken by the plugin in ${first.directory}.`;
        broken.push({ name: one.name, directory: one.directory, reason });
      } else {
        this.#byName.set(one.name, one);
      }
    }
    this.plugins = [...this.#byName.values()];
    this.broken = broken;
  }

  /** What `GET /models` answers with. */
  list(): ModelMetadata[] {
    return this.plugins.map((plugin) => plugin.metadata);
  }

  /**
   * The plugin of a name and version.
   *
   * @throws CloudEasyMLError `model_not_found` that names what there is
   */
  find(name: string, version = 'latest'): Plugin {
    const plugin = this.#byName.get(name);
    if (!plugin) throw new CloudEasyMLError('model_not_found', this.#absence(name));
    const there = plugin.metadata.version;
    if (version !== 'latest' && version !== there) {
      throw new CloudEasyMLError(
        'model_not_found',
        `There is no version ${version} of the model ${name}; its version is ${there}.`,
      );
    }
    return plugin;
  }

  #absence(name: string): string {
    // The reason names the server's folders: it is for its operator, not for clients.
    if (this.broken.some((plugin) => plugin.name === name)) {
      return `The plugin ${name} is broken; the server said why when it started.`;
    }
    const names = [...this.#byName.keys()];
    const near = nearestName(name, names);
    const hint = near
      ? `Did you mean ${near}?`
      : names.length > 0
        ? `The models there are: ${names.join(', ')}.`
        : 'No plugin was found.';
    return `There is no model ${name}. ${hint}`;
  }
}
