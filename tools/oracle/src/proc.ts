/** buddyinfo, pagetypeinfo and iomem, read back into numbers. */
import { linesOf, match, parseCount } from './text.js';

/** One line of /proc/buddyinfo: free blocks per order. */
export interface BuddyinfoLine {
  readonly nid: number;
  readonly zone: string;
  readonly free: readonly number[];
}

/** Reads /proc/buddyinfo. */
export function readBuddyinfo(text: string): BuddyinfoLine[] {
  return linesOf(text).map((line) => {
    const { nid, zone, rest } = match(
      line,
      /^Node (?<nid>\d+), zone +(?<zone>\w+) (?<rest>.*)$/,
      'buddyinfo',
    );
    return { nid: Number(nid), zone: zone!, free: rest!.trim().split(/ +/).map(Number) };
  });
}

/** Free blocks per order of one zone and type; Infinity where the kernel printed `>100000`. */
export interface PagetypeFreeLine {
  readonly nid: number;
  readonly zone: string;
  readonly migratetype: string;
  readonly free: readonly number[];
}

/** Pageblocks of one zone by type, in the order of `PagetypeinfoNode.migratetypes`. */
export interface PagetypeBlocksLine {
  readonly nid: number;
  readonly zone: string;
  readonly blocks: readonly number[];
}

/** One node's part of /proc/pagetypeinfo; the file repeats the header for every node. */
export interface PagetypeinfoNode {
  readonly pageblockOrder: number;
  readonly pagesPerBlock: number;
  readonly migratetypes: readonly string[];
  readonly free: readonly PagetypeFreeLine[];
  readonly blocks: readonly PagetypeBlocksLine[];
}

/** Reads /proc/pagetypeinfo, node by node. */
export function readPagetypeinfo(text: string): PagetypeinfoNode[] {
  interface Draft {
    pageblockOrder: number;
    pagesPerBlock: number;
    migratetypes: string[];
    free: PagetypeFreeLine[];
    blocks: PagetypeBlocksLine[];
  }
  const nodes: Draft[] = [];
  const numbers = (rest: string): number[] =>
    rest
      .trim()
      .split(/ +/)
      .map((entry) => (entry.startsWith('>') ? Infinity : Number(entry)));
  for (const line of linesOf(text)) {
    if (line.startsWith('Page block order:')) {
      const pageblockOrder = parseCount(line.split(':')[1]!.trim());
      nodes.push({ pageblockOrder, pagesPerBlock: 0, migratetypes: [], free: [], blocks: [] });
      continue;
    }
    const node = nodes.at(-1)!;
    if (line.startsWith('Pages per block:')) {
      node.pagesPerBlock = parseCount(line.split(':')[1]!.trim());
    } else if (line.startsWith('Number of blocks type')) {
      node.migratetypes = line.slice('Number of blocks type'.length).trim().split(/ +/);
    } else if (line.startsWith('Node')) {
      const { nid, zone, type, rest } = match(
        line,
        /^Node +(?<nid>\d+), zone +(?<zone>\w+)(?:, type +(?<type>\w+))? (?<rest>.*)$/,
        'pagetypeinfo',
      );
      const where = { nid: Number(nid), zone: zone! };
      if (type === undefined) node.blocks.push({ ...where, blocks: numbers(rest!) });
      else node.free.push({ ...where, migratetype: type, free: numbers(rest!) });
    }
  }
  return nodes;
}

/** A line of /proc/iomem; `end` is inclusive as printed, `depth` counts the indentation. */
export interface IomemLine {
  readonly depth: number;
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** Reads /proc/iomem (recorded with addresses shown). */
export function readIomem(text: string): IomemLine[] {
  return linesOf(text).map((line) => {
    const { indent, start, end, name } = match(
      line,
      /^(?<indent> *)(?<start>[0-9a-f]+)-(?<end>[0-9a-f]+) : (?<name>.*)$/,
      'iomem',
    );
    return {
      depth: indent!.length / 2,
      start: parseCount(start!, 16),
      end: parseCount(end!, 16),
      name: name!,
    };
  });
}
