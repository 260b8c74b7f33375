/** What the process holds: memory, descriptors, threads. Linux tells the last two; elsewhere they are not looked at. */
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** What a process holds at one moment. */
export interface Footprint {
  /** Resident memory, and of the heap and outside it what is in use, in MiB. */
  readonly rss: number;
  readonly heap: number;
  readonly external: number;
  /**
   * Without those of modules: a thread that a job or its time limit ends in the middle of an import leaves the file open, as
   * Node does it, so how many there are depends on what else the machine has to do. They are told, not judged.
   */
  readonly descriptors: number;
  readonly threads: number;
}

/** How much more than at the beginning it may hold at the end. */
const MAY_GROW: Footprint = { rss: 60, heap: 8, external: 8, descriptors: 5, threads: 1 };

const MIB = 2 ** 20;
const listed = (folder: string): number => (existsSync(folder) ? readdirSync(folder).length : 0);

/** Collects what is to be collected, and looks. */
export async function footprint(): Promise<Footprint> {
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return {
    rss: residentMiB(),
    heap: heapUsed / MIB,
    external: external / MIB,
    descriptors: openFiles().filter((target) => !/\.m?js$/.test(target)).length,
    threads: listed('/proc/self/task'),
  };
}

/** Resident memory of this process. */
function residentMiB(): number {
  const status = '/proc/self/status';
  if (!existsSync(status)) return process.memoryUsage.rss() / MIB;
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

/** The most of both. */
export function most(a: Footprint | undefined, b: Footprint): Footprint {
  if (a === undefined) return b;
  return {
    rss: Math.max(a.rss, b.rss),
    heap: Math.max(a.heap, b.heap),
    external: Math.max(a.external, b.external),
    descriptors: Math.max(a.descriptors, b.descriptors),
    threads: Math.max(a.threads, b.threads),
  };
}

/** What the descriptors of this process lead to. */
function openFiles(): string[] {
  const folder = '/proc/self/fd';
  return (existsSync(folder) ? readdirSync(folder) : []).map((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).replace(/:\[\d+\]$/, '');
    } catch {
      // That of the listing itself.
      return 'gone';
    }
  });
}

/** What its descriptors lead to, and how many to each. */
export function descriptorsInWords(): string {
  const counts = new Map<string, number>();
  for (const target of openFiles()) counts.set(target, (counts.get(target) ?? 0) + 1);
  return [...counts].map(([target, count]) => `${count} ${target}`).join(', ');
}

/** In words. */
export function inWords(held: Footprint): string {
  const { rss, heap, external, descriptors, threads } = held;
  const mib = [
    `rss ${rss.toFixed(0)}`,
    `heap ${heap.toFixed(1)}`,
    `external ${external.toFixed(1)}`,
  ];
  return `${mib.join(', ')} MiB, ${descriptors} descriptors, ${threads} threads`;
}

/** What has grown by more than it may. */
export function grown(before: Footprint, after: Footprint): string[] {
  return (Object.keys(MAY_GROW) as (keyof Footprint)[])
    .filter((what) => after[what] > before[what] + MAY_GROW[what])
    .map((what) => `${what} from ${before[what].toFixed(1)} to ${after[what].toFixed(1)}`);
}
