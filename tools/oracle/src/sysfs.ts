/** memory_blocks.txt, firmware_memmap.txt, nodes.txt, sysvm.txt: state recorded from sysfs. */
import { linesOf, match, parseCount } from './text.js';

/** One memory block of /sys/devices/system/memory. */
export interface MemoryBlockLine {
  readonly name: string;
  readonly index: number;
  readonly state: string;
  readonly removable: boolean;
  /** `none` where the block spans zones, else the zones it is in or may be onlined to. */
  readonly validZones: readonly string[];
  /** Nodes with pages in the block, as listed; a block can hold memory of several. */
  readonly nids: readonly number[];
}

/** Everything in memory_blocks.txt. */
export interface MemoryBlocks {
  readonly blockSize: number;
  readonly autoOnline: string;
  readonly blocks: readonly MemoryBlockLine[];
}

const BLOCK =
  /^(?<name>memory\d+) (?<index>[0-9a-f]+) (?<state>\S+) (?<removable>[01]) \[(?<zones>[^\]]*)\] node(?<nid>\d+)$/;

/** Splits a file of `--- title` sections into title → lines. */
export function readTitled(text: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('--- ')) {
      lines = [];
      sections.set(line.slice(4), lines);
    } else if (line !== '') lines.push(line);
  }
  return sections;
}

/** Reads memory_blocks.txt. A block of several nodes is followed by a line for each further node. */
export function readMemoryBlocks(text: string): MemoryBlocks {
  const sections = readTitled(text);
  const title = [...sections.keys()].find((key) => key.startsWith('name '));
  const blocks: (MemoryBlockLine & { nids: number[] })[] = [];
  for (const line of title === undefined ? [] : sections.get(title)!) {
    const further = /^node(\d+)$/.exec(line);
    if (further !== null) {
      blocks.at(-1)!.nids.push(Number(further[1]));
      continue;
    }
    const { name, index, state, removable, zones, nid } = match(line, BLOCK, 'memory block');
    blocks.push({
      name: name!,
      index: parseCount(index!, 16),
      state: state!,
      removable: removable === '1',
      validZones: zones!.split(' '),
      nids: [Number(nid)],
    });
  }
  return {
    blockSize: parseCount(sections.get('block_size_bytes')?.[0] ?? '', 16),
    autoOnline: sections.get('auto_online_blocks')?.[0] ?? '',
    blocks,
  };
}

/** One entry of /sys/firmware/memmap; `end` is inclusive as printed. */
export interface FirmwareMemmapEntry {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

/** Reads firmware_memmap.txt. */
export function readFirmwareMemmap(text: string): FirmwareMemmapEntry[] {
  return linesOf(text).map((line) => {
    const { start, end, type } = match(
      line,
      /^\d+ (?<start>0x[0-9a-f]+) (?<end>0x[0-9a-f]+) (?<type>.*)$/,
      'firmware memmap',
    );
    return { start: parseCount(start!), end: parseCount(end!), type: type! };
  });
}

/** One node of nodes.txt. */
export interface NodeLine {
  readonly nid: number;
  readonly cpus: readonly number[];
  /** Distances to every online node, ascending node id. */
  readonly distance: readonly number[];
}

function readCpulist(text: string): number[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
    });
}

/** Reads the online nodes of nodes.txt with their CPUs and distances. */
export function readNodes(text: string): NodeLine[] {
  const nodes: NodeLine[] = [];
  for (const [title, lines] of readTitled(text)) {
    const nid = /\/node(\d+)\/cpulist$/.exec(title)?.[1];
    if (nid === undefined) continue;
    const distance = readTitled(text).get(title.replace('cpulist', 'distance'))?.[0] ?? '';
    nodes.push({
      nid: Number(nid),
      cpus: readCpulist(lines[0] ?? ''),
      distance: distance.trim().split(/ +/).map(Number),
    });
  }
  return nodes.sort((a, b) => a.nid - b.nid);
}

/** Reads sysvm.txt (/proc/sys/vm): name → text as printed, trailing blanks removed. */
export function readSysctl(text: string): Map<string, string> {
  return new Map(
    linesOf(text).map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1).trimEnd()];
    }),
  );
}
