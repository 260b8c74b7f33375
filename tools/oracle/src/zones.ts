/** `snap_*_zones.txt`: nodes and zones as the kernel's structures had them. All counts are pages. */
import { linesOf, match, parseCount, numberWord, word } from './text.js';

/** Fields of one zone. */
export interface ZoneSnapshot {
  readonly nid: number;
  readonly index: number;
  readonly name: string;
  readonly startPfn: number;
  readonly spanned: number;
  readonly present: number;
  readonly presentEarly: number;
  readonly managed: number;
  readonly freePages: number;
  readonly initialized: boolean;
  readonly contiguous: boolean;
  /** One entry per zone index. */
  readonly lowmemReserve: readonly number[];
}

/** Fields of one node with its zones in index order. */
export interface NodeSnapshot {
  readonly nid: number;
  readonly startPfn: number;
  readonly present: number;
  readonly spanned: number;
  readonly zoneCount: number;
  /** First pfn whose descriptor is left to the deferred step; undefined when nothing is deferred. */
  readonly firstDeferredPfn: number | undefined;
  readonly zones: readonly ZoneSnapshot[];
}

/** Everything in `snap_*_zones.txt`. The undefined fields are left out of the late snapshots. */
export interface ZonesSnapshot {
  readonly maxPfn: number;
  readonly maxLowPfn: number;
  readonly maxPossiblePfn: number;
  readonly totalramPages: number;
  readonly archZoneLowest: readonly number[] | undefined;
  readonly archZoneHighest: readonly number[] | undefined;
  /** Movable start per node id; nodes without one are missing. */
  readonly zoneMovablePfn: ReadonlyMap<number, number> | undefined;
  readonly dmaReserve: number | undefined;
  readonly nrKernelPages: number | undefined;
  readonly nrAllPages: number | undefined;
  readonly nodes: readonly NodeSnapshot[];
}

const ZONE =
  /^ zone (?<index>\d+) (?<name>\w+) start_pfn=(?<start>0x[0-9a-f]+) .*lowmem_reserve=\[(?<reserve>[^\]]*)\]$/;

function hexList(text: string | undefined): number[] | undefined {
  return text?.match(/0x[0-9a-f]+/g)?.map((entry) => parseCount(entry));
}

function readZone(line: string, nid: number): ZoneSnapshot {
  const { index, name, start, reserve } = match(line, ZONE, 'zone');
  return {
    nid,
    index: Number(index),
    name: name!,
    startPfn: parseCount(start!),
    spanned: numberWord(line, 'spanned'),
    present: numberWord(line, 'present'),
    presentEarly: numberWord(line, 'present_early'),
    managed: numberWord(line, 'managed'),
    freePages: numberWord(line, 'nr_free_vmstat'),
    initialized: word(line, 'initialized') === '1',
    contiguous: word(line, 'contiguous') === '1',
    lowmemReserve: reserve!.split(', ').map(Number),
  };
}

/** Reads the text of `snap_*_zones.txt`. */
export function readZones(text: string): ZonesSnapshot {
  const lines = linesOf(text);
  const value = (key: string): string | undefined =>
    lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
  const count = (key: string): number | undefined => {
    const found = value(key);
    return found === undefined ? undefined : parseCount(found);
  };
  const nodes: (NodeSnapshot & { zones: ZoneSnapshot[] })[] = [];
  for (const line of lines) {
    if (line.startsWith('node ')) {
      const { nid } = match(line, /^node (?<nid>\d+) /, 'node');
      const deferred = word(line, 'first_deferred_pfn');
      nodes.push({
        nid: Number(nid),
        startPfn: numberWord(line, 'start_pfn'),
        present: numberWord(line, 'present'),
        spanned: numberWord(line, 'spanned'),
        zoneCount: numberWord(line, 'nr_zones'),
        firstDeferredPfn:
          deferred === undefined || deferred === 'none' ? undefined : parseCount(deferred),
        zones: [],
      });
    } else if (line.startsWith(' zone ')) {
      const node = nodes.at(-1)!;
      node.zones.push(readZone(line, node.nid));
    }
  }
  const movable = value('zone_movable_pfn');
  const head = lines[0] ?? '';
  const limits = lines.find((line) => line.startsWith('arch_zone_'));
  return {
    maxPfn: numberWord(head, 'max_pfn'),
    maxLowPfn: numberWord(head, 'max_low_pfn'),
    maxPossiblePfn: numberWord(head, 'max_possible_pfn'),
    totalramPages: numberWord(head, 'totalram_pages'),
    archZoneLowest: hexList(limits?.split('] ')[0]),
    archZoneHighest: hexList(limits?.split('] ')[1]),
    zoneMovablePfn:
      movable === undefined
        ? undefined
        : new Map(
            [...movable.matchAll(/(\d+): '(0x[0-9a-f]+)'/g)].map((m) => [
              Number(m[1]),
              parseCount(m[2]!),
            ]),
          ),
    dmaReserve: count('dma_reserve'),
    nrKernelPages: count('nr_kernel_pages'),
    nrAllPages: count('nr_all_pages'),
    nodes,
  };
}
