import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, vi } from 'vitest';

// Threads that compile and import take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const made: string[] = [];

afterAll(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A new folder outside the package with these files, gone after the tests of the file that made it. */
export async function temporaryFolder(files: Record<string, string | Uint8Array> = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'cloudeasyml-test-'));
  made.push(folder);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return folder;
}

/** Keeps what the tests of a file save and compile out of the working folder. */
export async function useTemporaryData() {
  const folder = await temporaryFolder();
  process.env.CLOUDEASYML_DATA = folder;
  return folder;
}

/** The source of a plugin that adds `config.offset` to numbers; `extra` goes into its class, `top` above it. */
export function adderSource({
  name = 'adder',
  metadata = '',
  extra = '',
  top = '',
}: {
  name?: string;
  metadata?: string;
  extra?: string;
  top?: string;
} = {}) {
  return `import { BaseModel, type PredictionInput } from 'cloudeasyml';
${top}
interface AdderConfig { offset?: number }
export default class Adder extends BaseModel<AdderConfig> {
  getMetadata() { return { name: '${name}', version: '1.2.3', ${metadata} }; }
  load(): void { this.isLoaded = true; }
  predict({ data }: PredictionInput) {
    return { predictions: (data as number[]).map((x) => x + (this.config.offset ?? 0)) };
  }
  train() { return { status: 'there is nothing to train' }; }
  ${extra}
}
`;
}
