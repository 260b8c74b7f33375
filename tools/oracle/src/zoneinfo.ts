/** /proc/zoneinfo, read back item by item; items that a kernel does not print are simply missing. */
import { OracleError, linesOf, match } from './text.js';

/** A named counter, in the order of the file. */
export type ZoneinfoItem = readonly [name: string, value: number];

/** One CPU's page set. */
export interface ZoneinfoPageset {
  readonly cpu: number;
  /** `count`, `high`, `batch`, and `high_min`, `high_max` where printed. */
  readonly items: readonly ZoneinfoItem[];
  readonly threshold: number | undefined;
}

/** One zone of /proc/zoneinfo; all counts are pages. */
export interface ZoneinfoZone {
  readonly nid: number;
  readonly zone: string;
  /** Node counters; only under the node's first populated zone. */
  readonly perNodeStats: readonly ZoneinfoItem[] | undefined;
  /** `free`, `boost`, `min`, `low`, `high`, (`promo`), `spanned`, `present`, `managed`, `cma`. */
  readonly pages: readonly ZoneinfoItem[];
  readonly protection: readonly number[];
  /** Zone counters; an unpopulated zone has none. */
  readonly stats: readonly ZoneinfoItem[];
  readonly pagesets: readonly ZoneinfoPageset[];
  /** `node_unreclaimable`, `start_pfn`, and what newer kernels add; none for an unpopulated zone. */
  readonly tail: readonly ZoneinfoItem[];
}

interface Draft {
  nid: number;
  zone: string;
  perNodeStats: ZoneinfoItem[] | undefined;
  pages: ZoneinfoItem[];
  protection: number[];
  stats: ZoneinfoItem[];
  pagesets: { cpu: number; items: ZoneinfoItem[]; threshold: number | undefined }[];
  tail: ZoneinfoItem[];
}

/** Where the reader stands inside a zone. */
type Part = 'node' | 'pages' | 'pagesets';

function readItem(zone: Draft, part: Part, line: string): Part {
  const text = line.trim();
  if (text === 'per-node stats') {
    zone.perNodeStats = [];
    return 'node';
  }
  if (text === 'pagesets') return 'pagesets';
  if (text.startsWith('protection:')) {
    zone.protection = (text.match(/-?\d+/g) ?? []).map(Number);
    return 'pages';
  }
  const { name, value } = match(
    text.replace(/^pages free/, 'free'),
    /^(?<name>[\w ]+?):? +(?<value>-?\d+)$/,
    'zoneinfo item',
  );
  const item: ZoneinfoItem = [name!, Number(value)];
  if (text.startsWith('pages free')) {
    zone.pages.push(item);
    return 'pages';
  }
  if (part === 'node') zone.perNodeStats!.push(item);
  else if (part === 'pages') (zone.protection.length === 0 ? zone.pages : zone.stats).push(item);
  else if (name === 'cpu') {
    zone.pagesets.push({ cpu: Number(value), items: [], threshold: undefined });
  } else if (name === 'vm stats threshold') zone.pagesets.at(-1)!.threshold = Number(value);
  else if (line.startsWith('              ')) zone.pagesets.at(-1)!.items.push(item);
  else zone.tail.push(item);
  return part;
}

/** Reads /proc/zoneinfo. */
export function readZoneinfo(text: string): ZoneinfoZone[] {
  const zones: Draft[] = [];
  let part: Part = 'pages';
  for (const line of linesOf(text)) {
    if (line.startsWith('Node ')) {
      const { nid, zone } = match(line, /^Node (?<nid>\d+), zone +(?<zone>\w+)$/, 'zoneinfo zone');
      zones.push({
        nid: Number(nid),
        zone: zone!,
        perNodeStats: undefined,
        pages: [],
        protection: [],
        stats: [],
        pagesets: [],
        tail: [],
      });
      part = 'pages';
      continue;
    }
    const zone = zones.at(-1);
    if (zone === undefined) throw new OracleError('zoneinfo starts inside a zone', line);
    part = readItem(zone, part, line);
  }
  return zones;
}
