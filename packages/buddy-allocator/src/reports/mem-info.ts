/**
 * The Mem-Info report that a failed allocation prints. Source: reference of the buddy allocator, section 10
 *
 * Machine-wide numbers are printed in pages, those of nodes and zones in KiB.
 */
import type { Counters, ZoneId } from './report-types.js';

/** One zone of the report; pages. */
export interface MemInfoZone extends ZoneId {
  readonly freePages: number;
  readonly boost: number;
  /** Marks with the boost included. */
  readonly min: number;
  readonly low: number;
  readonly high: number;
  readonly reservedHighatomic: number;
  readonly freeHighatomic: number;
  readonly presentPages: number;
  readonly managedPages: number;
  /** `active_anon` … `bounce` by printed name; missing ones are 0. */
  readonly counters: Counters;
  /** Pages in the caches of all workers, and of the reporting one. */
  readonly freePcp: number;
  readonly localPcp: number;
  readonly freeCma: number;
  readonly lowmemReserve: readonly number[];
  /** Free blocks per order, and which types have one: bits 1 << migratetype. */
  readonly free: readonly { readonly blocks: number; readonly types: number }[];
}

/** One node of the report; pages by printed name. */
interface MemInfoNode {
  readonly nid: number;
  readonly counters: Counters;
  readonly allUnreclaimable: boolean;
}

/** The whole report. */
export interface MemInfo {
  /** Pages by printed name. */
  readonly totals: Counters;
  readonly nodes: readonly MemInfoNode[];
  /** Zones with managed pages, in node and index order. */
  readonly zones: readonly MemInfoZone[];
  readonly pagecachePages: number;
  readonly swap: {
    readonly cachePages: number;
    readonly freeKbytes: number;
    readonly totalKbytes: number;
  };
  readonly ramPages: number;
  readonly highmemOrMovablePages: number;
  readonly reservedPages: number;
  readonly cmaReservedPages?: number;
  readonly hwpoisonedPages: number;
}

/** Letters of the migratetypes by number. */
const TYPE_LETTERS = ['U', 'M', 'E', 'H', 'C', 'I'] as const;

const TOTAL_LINES: readonly (readonly string[])[] = [
  ['active_anon', 'inactive_anon', 'isolated_anon'],
  ['active_file', 'inactive_file', 'isolated_file'],
  ['unevictable', 'dirty', 'writeback'],
  ['slab_reclaimable', 'slab_unreclaimable'],
  ['mapped', 'shmem', 'pagetables'],
  ['sec_pagetables', 'bounce'],
  ['kernel_misc_reclaimable'],
  ['free', 'free_pcp', 'free_cma'],
];

const NODE_ITEMS: readonly string[] = [
  'active_anon',
  'inactive_anon',
  'active_file',
  'inactive_file',
  'unevictable',
  'isolated(anon)',
  'isolated(file)',
  'mapped',
  'dirty',
  'writeback',
  'shmem',
  'shmem_thp',
  'shmem_pmdmapped',
  'anon_thp',
  'kernel_stack',
  'pagetables',
  'sec_pagetables',
];

const kb = (pages: number): string => `${pages * 4}kB`;

function formatNode({ nid, counters, allUnreclaimable }: MemInfoNode): string {
  const items = NODE_ITEMS.map((name) => ` ${name}:${kb(counters[name] ?? 0)}`).join('');
  const balloon = counters['Balloon'];
  const tail = balloon === undefined ? '' : ` Balloon:${kb(balloon)}`;
  return `Node ${nid}${items} all_unreclaimable? ${allUnreclaimable ? 'yes' : 'no'}${tail}\n`;
}

function formatZone(zone: MemInfoZone): string {
  const counter = (name: string): string => `${name}:${kb(zone.counters[name] ?? 0)}`;
  const words = [
    `Node ${zone.nid} ${zone.zone} free:${kb(zone.freePages)}`,
    `boost:${kb(zone.boost)}`,
    `min:${kb(zone.min)}`,
    `low:${kb(zone.low)}`,
    `high:${kb(zone.high)}`,
    // These two are printed with a capital K.
    `reserved_highatomic:${zone.reservedHighatomic * 4}KB`,
    `free_highatomic:${zone.freeHighatomic * 4}KB`,
    counter('active_anon'),
    counter('inactive_anon'),
    counter('active_file'),
    counter('inactive_file'),
    counter('unevictable'),
    counter('writepending'),
    counter('zspages'),
    `present:${kb(zone.presentPages)}`,
    `managed:${kb(zone.managedPages)}`,
    counter('mlocked'),
    counter('bounce'),
    `free_pcp:${kb(zone.freePcp)}`,
    `local_pcp:${kb(zone.localPcp)}`,
    `free_cma:${kb(zone.freeCma)}`,
  ];
  const reserve = zone.lowmemReserve.map((pages) => ` ${pages}`).join('');
  return `${words.join(' ')}\nlowmem_reserve[]:${reserve}\n`;
}

function formatFreeBlocks(zone: MemInfoZone): string {
  let total = 0;
  let text = `Node ${zone.nid} ${zone.zone}: `;
  zone.free.forEach(({ blocks, types }, order) => {
    total += blocks * 2 ** order;
    const letters = TYPE_LETTERS.filter((_, type) => (types & (1 << type)) !== 0).join('');
    text += `${blocks}*${4 * 2 ** order}kB ${blocks > 0 ? `(${letters}) ` : ''}`;
  });
  return `${text}= ${kb(total)}\n`;
}

/** The text of the report. @kernel __show_free_areas, __show_mem */
export function formatMemInfo(info: MemInfo): string {
  const totals = TOTAL_LINES.map((names) =>
    names.map((name) => `${name}:${info.totals[name] ?? 0}`).join(' '),
  );
  const lines = [
    `${info.pagecachePages} total pagecache pages`,
    `${info.swap.cachePages} pages in swap cache`,
    `Free swap  = ${info.swap.freeKbytes}kB`,
    `Total swap = ${info.swap.totalKbytes}kB`,
    `${info.ramPages} pages RAM`,
    `${info.highmemOrMovablePages} pages HighMem/MovableOnly`,
    `${info.reservedPages} pages reserved`,
    ...(info.cmaReservedPages === undefined ? [] : [`${info.cmaReservedPages} pages cma reserved`]),
    `${info.hwpoisonedPages} pages hwpoisoned`,
  ];
  return [
    'Mem-Info:\n',
    `${totals.join('\n ')}\n`,
    ...info.nodes.map(formatNode),
    ...info.zones.map(formatZone),
    ...info.zones.map(formatFreeBlocks),
    `${lines.join('\n')}\n`,
  ].join('');
}
