/**
 * Files of a running machine, line by line: /proc/iomem, /sys/firmware/memmap, zoneinfo, buddyinfo, pagetypeinfo,
 * meminfo and sysfs nodes. Each of their lines has a shape of its own, so a file needs no announcement, and several
 * may follow each other (or a boot log) in one input.
 *
 *   00100000-3ffdffff : System RAM            iomem (indented: inside the entry above)
 *   3 0x100000 0x3ffdffff System RAM          firmware memmap: index, first, last, kind
 *   Node 0, zone    DMA32                     zoneinfo; with numbers behind it: buddyinfo
 *   Node    0, zone      DMA, type  Movable   pagetypeinfo
 */
import type { Draft, ZoneinfoDraft } from './draft.js';
import type { RangeKind } from '../types/all.js';
import { MAX_NODE_ID } from '../base/constants.js';
import { readKind } from '../base/range-kinds.js';
import { nodeId } from './node-lines.js';
import { ZONE, zoneName, type Outcome } from './recogniser.js';

const HINT = new RegExp(
  String.raw`^ *[0-9a-f]{8,16}-[0-9a-f]{8,16} : |^\d+ 0x[0-9a-f]+ 0x[0-9a-f]+ |^Node +\d+, zone|^Page block order|^Pages per block|^Free pages count per|^Number of (?:mixed )?blocks type|^[A-Z][A-Za-z_()0-9]*: +\d+(?: kB)?$|^Node \d+ \w+:|^--- /sys/devices/system/node/node|^--- /sys/kernel/debug/memblock/|^ *\d+: 0x[0-9a-f]+\.\.0x`,
);

/** Whether a line has the shape of one of the files' lines; none of them begins with a time. */
export function mayBeProcLine(text: string): boolean {
  return !text.startsWith('[') && HINT.test(text);
}

/** Reads a line of one of the files; `undefined` when it is none. */
export function readProcLine(text: string, draft: Draft, line: number): Outcome {
  if (draft.block === 'zoneinfo' && readZoneinfoField(text, draft, line)) return 'taken';
  if (draft.sysfsSection !== undefined && readNodeValue(text, draft, line)) return 'taken';
  if (!mayBeProcLine(text)) return undefined;
  return (
    readIomem(text, draft, line) ??
    readFirmwareMemmap(text, draft, line) ??
    readNodeZone(text, draft, line) ??
    readPagetypeHeader(text, draft, line) ??
    readSysfsHeader(text, draft, line) ??
    readKeptMemblock(text, draft, line) ??
    readMeminfo(text, draft, line)
  );
}

// What only a PC has in its map.
const PC_ENTRY = /^(?:System ROM|Video ROM|Adapter ROM|Local APIC|IOAPIC \d+|RAM buffer)$/;

function readIomem(text: string, draft: Draft, line: number): Outcome {
  const match = /^( *)([0-9a-f]{8,16})-([0-9a-f]{8,16}) : (.+)$/.exec(text);
  if (match === null) return undefined;
  const [, indent, first, last, name] = match as unknown as string[];
  // Without the right to see addresses, every entry reads 0-0.
  if (/^0+$/.test(last!) && /^0+$/.test(first!)) {
    if (!draft.addressesHidden) {
      const message = 'all addresses are printed as 0: read the file as root';
      draft.problems.error('HIDDEN_ADDRESSES', line, message);
    }
    draft.addressesHidden = true;
    draft.records++;
    return 'taken';
  }
  const range = draft.range(first!, last!, line);
  if (range === undefined) return 'taken';
  if (PC_ENTRY.test(name!)) draft.vote('x86_64');
  draft.keep(draft.iomem, { ...range, name: name!, depth: indent!.length >> 1, line }, line);
  return 'taken';
}

function readFirmwareMemmap(text: string, draft: Draft, line: number): Outcome {
  const match = /^(\d+) 0x([0-9a-f]+) 0x([0-9a-f]+) (.+)$/i.exec(text);
  if (match === null) return undefined;
  const range = draft.range(match[2]!, match[3]!, line);
  if (range === undefined) return 'taken';
  const words = match[4]!;
  const kind = firmwareKind(words);
  if (kind.kind === 'other') {
    const message = `"${words.slice(0, 40)}" is no kind of memory that is known; kept as "other"`;
    draft.problems.warn('UNKNOWN_KIND', line, message);
  }
  // The kernel keeps this file on x86 alone.
  draft.vote('x86_64');
  const entry = { ...range, ...kind, text: words, provider: 'firmware-memmap', line };
  draft.keep(draft.firmwareMemmap, entry, line);
  return 'taken';
}

// Words that only /sys/firmware/memmap has.
const FIRMWARE_KINDS: ReadonlyMap<string, { kind: RangeKind; typeNumber?: number }> = new Map([
  ['acpi tables', { kind: 'acpi-data' }],
  ['acpi non-volatile storage', { kind: 'acpi-nvs' }],
  ['unusable memory', { kind: 'unusable' }],
  ['persistent memory', { kind: 'persistent', typeNumber: 7 }],
  ['persistent memory (legacy)', { kind: 'persistent', typeNumber: 12 }],
  ['unknown e820 type', { kind: 'reserved' }],
]);

function firmwareKind(words: string): ReturnType<typeof readKind> & object {
  const special = FIRMWARE_KINDS.get(words.toLowerCase());
  return special ?? readKind(words) ?? { kind: 'other' };
}

const NODE_ZONE = new RegExp(String.raw`^Node +(\d+), zone +(${ZONE})(.*)$`);

function readNodeZone(text: string, draft: Draft, line: number): Outcome {
  const match = NODE_ZONE.exec(text);
  if (match === null) return undefined;
  const nid = nodeId(match[1]!, draft, line);
  if (nid === undefined) return 'taken';
  const zone = zoneName(match[2]!);
  const rest = match[3]!;
  const typed = /^, type +(\S+) +([\d>][ \d>]*)$/.exec(rest);
  if (typed !== null) {
    const counts = typed[2]!.trim().split(/ +/);
    const numbers = counts.map((count) => Number(count.replace('>', '')));
    if (numbers.some((count) => !Number.isSafeInteger(count))) return undefined;
    const capped = counts.some((count) => count.startsWith('>'));
    draft.keep(
      draft.pagetypeFree,
      { nid, zone, type: typed[1]!, counts: numbers, capped, line },
      line,
    );
    return 'taken';
  }
  if (rest === '') {
    draft.keepOfNode(draft.zoneinfo, { line, nid, zone, counters: {} }, line);
    draft.enter('zoneinfo');
    return 'taken';
  }
  if (!/^(?: +\d+)+$/.test(rest)) return undefined;
  const counts = rest.trim().split(/ +/).map(Number);
  if (counts.some((count) => !Number.isSafeInteger(count))) {
    draft.problems.error('BAD_NUMBER', line, 'a count is above 2^53 - 1');
    return 'taken';
  }
  if (draft.pagetypeNames.length > 0) {
    const named = Object.fromEntries(
      counts.map((count, i) => [draft.pagetypeNames[i] ?? String(i), count]),
    );
    draft.keepOfNode(draft.pagetypeBlocks, { nid, zone, counts: named, line }, line);
  } else draft.keepOfNode(draft.buddyinfo, { nid, zone, counts, line }, line);
  return 'taken';
}

const ZONEINFO_FIELDS: ReadonlySet<string> = new Set([
  'boost',
  'min',
  'low',
  'high',
  'promo',
  'spanned',
  'present',
  'managed',
  'cma',
]);

function readZoneinfoField(text: string, draft: Draft, line: number): boolean {
  const zone = draft.zoneinfo.at(-1)!;
  if (!text.startsWith(' ')) return leaveZoneinfo(draft);
  const field = text.trimStart();
  const counter = /^([a-z_0-9]+) +(\d+)$/.exec(field);
  if (counter !== null) {
    const value = draft.count(counter[2]!, line);
    if (value !== undefined) setZoneField(zone, counter[1]!, value);
    return true;
  }
  const labelled = /^(?:pages )?([a-z_]+(?: [a-z_]+)*)(?:: *| +)(\d+)$/.exec(field);
  if (labelled !== null) {
    const value = draft.count(labelled[2]!, line);
    if (value === undefined) return true;
    const name = labelled[1]!;
    if (name === 'free') zone['free'] = value;
    else if (name === 'start_pfn') zone['startPfn'] = value;
    else if (name === 'high' || name === 'batch') setPcp(zone, name, value);
    else setZoneField(zone, name, value);
    return true;
  }
  const protection = /^protection: \(([\d, ]*)\)$/.exec(field);
  if (protection !== null) {
    const reserve = protection[1]!.split(',').map((part) => Number(part.trim()));
    if (reserve.every((pages) => Number.isSafeInteger(pages))) zone['protection'] = reserve;
    return true;
  }
  if (/^(?:per-node stats|pagesets|cpu: \d+)$/.test(field)) return true;
  return leaveZoneinfo(draft);
}

function leaveZoneinfo(draft: Draft): false {
  draft.block = 'none';
  return false;
}

function setZoneField(zone: ZoneinfoDraft, name: string, value: number): void {
  const target = ZONEINFO_FIELDS.has(name) ? zone : zone.counters;
  if (!Object.hasOwn(target, name)) target[name] = value;
}

function setPcp(zone: ZoneinfoDraft, name: 'high' | 'batch', value: number): void {
  const field = name === 'high' ? 'pcpHigh' : 'pcpBatch';
  zone[field] ??= value;
}

function readPagetypeHeader(text: string, draft: Draft, line: number): Outcome {
  const number = /^(Page block order|Pages per block): +(\d+)$/.exec(text);
  if (number !== null) {
    const value = draft.count(number[2]!, line);
    if (value !== undefined) {
      if (number[1] === 'Pages per block') draft.pagesPerBlock = value;
      else draft.pageblockOrder = value;
    }
    draft.pagetypeNames = [];
    draft.records++;
    return 'taken';
  }
  if (text.startsWith('Free pages count per migrate type')) return 'taken';
  const names = /^Number of (mixed )?blocks type +(.*)$/.exec(text);
  if (names === null) return undefined;
  draft.pagetypeNames = names[2]!.trim().split(/ +/).slice(0, 16);
  draft.records++;
  return 'taken';
}

function readMeminfo(text: string, draft: Draft, line: number): Outcome {
  const match = /^([A-Za-z_()0-9]{1,40}): +(\d+)(?: kB)?$/.exec(text);
  if (match === null) return undefined;
  // One line of this shape proves nothing; the file begins with MemTotal.
  if (match[1] !== 'MemTotal' && draft.meminfo.size === 0) return undefined;
  const value = draft.count(match[2]!, line);
  if (value === undefined || draft.meminfo.size > 512) return 'taken';
  if (!draft.meminfo.has(match[1]!)) draft.meminfo.set(match[1]!, value);
  draft.records++;
  return 'taken';
}

function readSysfsHeader(text: string, draft: Draft, line: number): Outcome {
  const memory = /^Node (\d+) MemTotal: +(\d+) kB$/.exec(text);
  if (memory !== null) {
    const node = sysfsNode(memory[1]!, draft, line);
    const total = draft.count(memory[2]!, line);
    if (node !== undefined && total !== undefined) node.memTotalKb = total;
    return 'taken';
  }
  if (/^Node \d+ \w+:/.test(text)) return draft.sysfsNodes.length > 0 ? 'taken' : undefined;
  const header = /^--- \/sys\/devices\/system\/node\/node(\d+)\/(\S+)$/.exec(text);
  if (header === null) return undefined;
  const node = sysfsNode(header[1]!, draft, line);
  draft.sysfsSection = node === undefined ? undefined : header[2];
  return 'taken';
}

/** Marks of a region as debugfs words them, by bit. */
const REGION_FLAGS: ReadonlyMap<string, number> = new Map([
  ['HOTPLUG', 0x1],
  ['MIRROR', 0x2],
  ['NOMAP', 0x4],
  ['DRV_MNG', 0x8],
  ['RSV_NIT', 0x10],
  ['RSV_NOIN', 0x10],
  ['RSV_KERN', 0x20],
  ['KHO_SCRATCH', 0x40],
]);

function readKeptMemblock(text: string, draft: Draft, line: number): Outcome {
  const header = /^--- \/sys\/kernel\/debug\/memblock\/(\w+)/.exec(text);
  if (header !== null) {
    const name = header[1];
    draft.keptList = name === 'memory' || name === 'reserved' ? name : undefined;
    return 'taken';
  }
  const match = /^ *\d+: 0x([0-9a-f]+)\.\.0x([0-9a-f]+)(?: +(\d+|x))?(?: +([A-Z_|]+))?$/.exec(text);
  if (match === null || draft.keptList === undefined) return undefined;
  const range = draft.range(match[1]!, match[2]!, line);
  if (range === undefined) return 'taken';
  const nid = match[3] === undefined || match[3] === 'x' ? undefined : Number(match[3]);
  const names = (match[4] ?? '').split('|');
  const flags = names.reduce((sum, name) => sum + (REGION_FLAGS.get(name) ?? 0), 0);
  const node = nid === undefined || nid > MAX_NODE_ID ? {} : { nid };
  const region = { ...range, ...node, flags, line };
  draft.keep(draft.keptMemblock[draft.keptList], region, line);
  return 'taken';
}

function sysfsNode(
  text: string,
  draft: Draft,
  line: number,
): Draft['sysfsNodes'][number] | undefined {
  const nid = nodeId(text, draft, line);
  if (nid === undefined) return undefined;
  let node = draft.sysfsNodes.find((known) => known.nid === nid);
  if (node === undefined) {
    node = { line, nid, cpus: [], distances: [] };
    draft.keepOfNode(draft.sysfsNodes, node, line);
  }
  return node;
}

function readNodeValue(text: string, draft: Draft, line: number): boolean {
  const section = draft.sysfsSection;
  draft.sysfsSection = undefined;
  const node = draft.sysfsNodes.at(-1);
  if (node === undefined) return false;
  if (section === 'cpulist' && /^[\d,-]*$/.test(text)) {
    const cpus = parseIdList(text);
    if (cpus === undefined)
      draft.problems.error('BAD_NUMBER', line, `"${text.slice(0, 40)}" is no list of ids`);
    else node.cpus = cpus;
    return true;
  }
  if (section === 'distance' && /^\d{1,9}(?: \d{1,9}){0,1023}$/.test(text)) {
    node.distances = text.split(' ').map(Number);
    return true;
  }
  return false;
}

/**
 * Ids of a list such as `0-3,8,10-11`.
 * @returns `undefined` when it is no list, or has an id above 65535
 */
export function parseIdList(text: string): number[] | undefined {
  if (text.trim() === '') return [];
  const ids: number[] = [];
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim());
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > 65_535) return undefined;
    for (let id = first; id <= last; id++) ids.push(id);
  }
  return ids;
}
