import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ServerProcess } from '../support/serverProcess.js';

const workers = 3;
const schedOther = 0;
const schedBatch = 3;

/** The policies by which Linux schedules a process's threads, by thread id: field 41 in proc_pid_stat(5). */
async function policiesOf(pid: number): Promise<Map<number, number>> {
  const threads = await readdir(`/proc/${pid}/task`);
  const entries = threads.map(async (thread): Promise<[number, number]> => {
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // The second field, a name in brackets, may hold spaces; the third comes after it.
    const fromThird = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [Number(thread), Number(fromThird[41 - 3])];
  });
  return new Map(await Promise.all(entries));
}

describe.runIf(process.platform === 'linux')('a server’s threads', () => {
  it('are scheduled so that a worker that wakes does not interrupt the sockets', async () => {
    const server = await ServerProcess.start({ workers });
    const policies = await policiesOf(server.pid);
    expect(policies.get(server.pid)).toBe(schedOther);
    const batch = [...policies.values()].filter((policy) => policy === schedBatch);
    expect(batch).toHaveLength(workers);
  });
});
