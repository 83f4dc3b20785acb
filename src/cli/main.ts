#!/usr/bin/env node
import { StopRequest } from './stopRequest.js';

const usage = `Usage: cloudeasyml <command>

  serve [--port 8000] [--help]   serve the plugins
  train <plugin> [--help]        train a plugin's model
  tune <plugin> [--help]         find and write a plugin's fastest setting
`;

// Each command loads what it needs, so that a server that loads can be told to stop already.
async function main([command, ...args]: string[]): Promise<number> {
  switch (command) {
    case 'serve': {
      const stop = new StopRequest();
      const { runServe } = await loadServer();
      return runServe(args, stop);
    }
    case 'train':
    case 'tune': {
      const { loadSettings } = await import('../settings/loadSettings.js');
      const { takeSecrets } = await import('../settings/takeSecrets.js');
      // The folders are where the server, with the same settings, would look for them.
      const { settings } = loadSettings();
      takeSecrets();
      process.env.CLOUDEASYML_PLUGINS = settings.plugins.join(':');
      process.env.CLOUDEASYML_DATA = settings.data;
      if (command === 'train') return (await import('./train.js')).runTrain(args);
      return (await import('./tune.js')).runTune(args);
    }
    default:
      process.stderr.write(usage);
      return command === undefined || command === '--help' ? 0 : 1;
  }
}

/**
 * The HTTP library brings a binary for each version of Node.js, and not every system can load each.
 *
 * @throws CloudEasyMLError library_unavailable
 */
async function loadServer() {
  try {
    return await import('./serve.js');
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : '';
    if (!message.includes('uWS.js')) throw cause;
    const { CloudEasyMLError } = await import('../errors.js');
    throw new CloudEasyMLError(
      'library_unavailable',
      `uWebSockets.js does not load in Node.js ${process.version} here: ${message.split('\n').at(-1)}. ` +
        'On Linux it needs glibc 2.38 (Debian 13, Ubuntu 24.04) with Node.js 22 and 24; older systems need Node.js 20.',
      { cause },
    );
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  async (error: unknown) => {
    const { CloudEasyMLError } = await import('../errors.js');
    if (!(error instanceof CloudEasyMLError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  },
);
