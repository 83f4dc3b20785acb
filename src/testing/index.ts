/** What a plugin's own tests import: `import { testPlugin } from 'cloudeasyml/testing'`. */
export { type TestedPlugin, type TestOptions, testPlugin } from './testPlugin.js';
