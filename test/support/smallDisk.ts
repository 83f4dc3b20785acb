import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system in memory that is soon full. */
export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#filler = path.join(folder, 'filler');
  }

  /** @returns undefined where this user may not mount any */
  static mount(bytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(path.join(tmpdir(), 'cloudeasyml-disk-'));
    const options = ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', folder];
    if (spawnSync('mount', options).status === 0) return new SmallDisk(folder);
    rmdirSync(folder);
    return undefined;
  }

  get freeBytes(): number {
    const { bfree, bsize } = statfsSync(this.folder);
    return bfree * bsize;
  }

  /** Leaves no byte free, or a few. */
  fill(leave = 0): void {
    const page = Buffer.alloc(4096);
    try {
      while (this.freeBytes > leave) appendFileSync(this.#filler, page);
    } catch (error) {
      // A server may have taken the last page meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  /** Takes away what it was filled with. */
  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  unmount(): void {
    spawnSync('umount', ['-l', this.folder]);
    rmdirSync(this.folder);
  }
}
