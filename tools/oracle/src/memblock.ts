/** `snap_*_memblock.txt` and `snap_*_numa_meminfo.txt`: the state of memblock at a stopped instant. */
import { linesOf, match, parseCount, numberWord } from './text.js';

/** "No node" as MAX_NUMNODES: regions reserved without naming a node. Does not merge with NID_UNSET. */
export const NID_NONE = 1024;
/** "No node" as NUMA_NO_NODE: what 6.12 resets regions to before it sets node ids. */
export const NID_UNSET = -1;

/** One region; bytes, half open `[base, base + size)`. */
export interface MemblockRegionSnapshot {
  readonly base: number;
  readonly size: number;
  /** A node, `NID_NONE` or `NID_UNSET`. */
  readonly nid: number;
  /** 1 HOTPLUG, 2 MIRROR, 4 NOMAP, 8 DRIVER_MANAGED, 0x10 RSRV_NOINIT. */
  readonly flags: number;
}

/** One region list with the fields of its header. */
export interface MemblockListSnapshot {
  readonly name: string;
  /** `cnt`: an empty list counts one region of size 0, which `regions` leaves out. */
  readonly count: number;
  readonly max: number;
  readonly totalSize: number;
  readonly regions: readonly MemblockRegionSnapshot[];
}

/** Everything in `snap_*_memblock.txt`. */
export interface MemblockSnapshot {
  readonly bottomUp: boolean;
  /** Bytes; Infinity where the kernel held all ones. */
  readonly currentLimit: number;
  readonly memory: MemblockListSnapshot;
  readonly reserved: MemblockListSnapshot;
}

/** One NUMA block of the firmware's tables, bytes, half open. */
export interface NumaBlockSnapshot {
  readonly start: number;
  readonly end: number;
  readonly nid: number;
}

const REGION =
  /^(?<list>\w+)\[\d+\] (?<base>0x[0-9a-f]+) (?<size>0x[0-9a-f]+) nid=(?<nid>none|-?\d+) flags=(?<flags>0x[0-9a-f]+)$/;

/** Reads the text of `snap_*_memblock.txt`. */
export function readMemblock(text: string): MemblockSnapshot {
  const [head = '', ...lines] = linesOf(text);
  const list = (name: string): MemblockListSnapshot => {
    const header = lines.find((line) => line.startsWith(`${name} cnt=`)) ?? '';
    const regions = lines
      .filter((line) => line.startsWith(`${name}[`))
      .map((line) => {
        const { base, size, nid, flags } = match(line, REGION, 'memblock region');
        return {
          base: parseCount(base!),
          size: parseCount(size!),
          nid: nid === 'none' ? NID_NONE : Number(nid),
          flags: parseCount(flags!),
        };
      });
    return {
      name,
      count: numberWord(header, 'cnt'),
      max: numberWord(header, 'max'),
      totalSize: numberWord(header, 'total_size'),
      regions: regions.filter((region) => region.size > 0),
    };
  };
  return {
    bottomUp: numberWord(head, 'bottom_up') !== 0,
    currentLimit: numberWord(head, 'current_limit'),
    memory: list('memory'),
    reserved: list('reserved'),
  };
}

/** Reads the text of `snap_*_numa_meminfo.txt`. */
export function readNumaMeminfo(text: string): NumaBlockSnapshot[] {
  const pattern = /^blk \d+ (?<start>0x[0-9a-f]+)-(?<end>0x[0-9a-f]+) nid=(?<nid>\d+)$/;
  return linesOf(text).map((line) => {
    const { start, end, nid } = match(line, pattern, 'numa_meminfo block');
    return { start: parseCount(start!), end: parseCount(end!), nid: Number(nid) };
  });
}
