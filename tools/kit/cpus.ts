/** Which processors a program may use: benchmarks that compare two programs give both the same ones. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The numbers of a list as the kernel writes it, such as `0-3,8`.
 * @throws Error when it is none
 */
export function parseCpuList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const found = /^(\d+)(?:-(\d+))?$/.exec(part);
      if (found === null) throw new Error(`no list of processors: '${list}'`);
      const first = Number(found[1]);
      const last = Number(found[2] ?? first);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/** The processors that this process may use; none where the system does not say. */
function allowedCpus(): number[] {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '');
  } catch {
    return [];
  }
}

/** A program and its arguments. */
export type CommandLine = readonly [command: string, ...args: string[]];

/** How to start a program on the first `count` processors of this process. */
export interface Pinning {
  /** What it does, in words. */
  readonly words: string;
  /** The command line that does it. */
  of(line: CommandLine): CommandLine;
}

/** By `taskset`, where that is installed; else the system chooses. */
export function pinning(count: number): Pinning {
  const cpus = allowedCpus().slice(0, count);
  const list = cpus.join(',');
  const works = list !== '' && spawnSync('taskset', ['-c', list, 'true']).status === 0;
  if (!works) return { words: 'no taskset: on whatever processors', of: (line) => line };
  return { words: `pinned to processors ${list}`, of: (line) => ['taskset', '-c', list, ...line] };
}
