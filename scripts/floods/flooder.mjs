// A process that floods a server until it is told to stop: node flooder.mjs <flood> <url> <key> <deploymentId>
import os from 'node:os';
import { floods } from './floods.mjs';

const [name, url, key, deploymentId] = process.argv.slice(2);
// Where cores are few, the server must not wait for its attackers' own work.
os.setPriority(os.constants.priority.PRIORITY_LOW);
const stop = floods[name]({ url: new URL(url), key, deploymentId });
process.once('disconnect', () => {
  stop();
  process.exit();
});
