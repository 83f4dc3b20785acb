// Checks the native sources' formatting with clang-format; with --fix, formats them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './cmake.mjs';

const files = ['native', 'test/native'].flatMap((name) => {
  const folder = path.join(root, name);
  return readdirSync(folder, { recursive: true })
    .filter((file) => /\.(cc|h)$/.test(file))
    .map((file) => path.join(folder, file));
});
const mode = process.argv.includes('--fix') ? ['-i'] : ['--dry-run', '--Werror'];
const { error, status } = spawnSync('clang-format', [...mode, ...files], { stdio: 'inherit' });
if (error?.code === 'ENOENT') {
  console.log('clang-format is not installed: the native sources were skipped.');
} else if (error) {
  throw error;
}
process.exitCode = status ?? 0;
