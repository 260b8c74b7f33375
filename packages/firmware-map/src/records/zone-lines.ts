/**
 * What the kernel printed while it laid out zones: the truths that a rebuilt machine is compared with.
 *
 * Headers open a block, and only inside it are the short lines below it trusted:
 *
 *   Zone ranges:                             Zone PFN ranges:
 *     DMA      [mem 0x…1000-0x…ffffff]         DMA      0x00000010 -> 0x00001000
 *     Device   empty                           Normal      0x1000 ->   0x2f800
 *   Early memory node ranges                 early_node_map[6] active PFN ranges      (to 3.2)
 *     node   0: [mem 0x…-0x…]                    0: 0x00000010 -> 0x0000009c
 *                                            Early memory PFN ranges                  (3.3, 3.4)
 *
 * A block ends at the next header, or after a run of lines that are not its own: memory dumps of PCI devices look
 * very much like early ranges.
 */
import { MAX_BLOCK_GAP } from '../base/constants.js';
import { parseNumber } from '../base/numbers.js';
import type { Draft } from './draft.js';
import { nodeId } from './node-lines.js';
import { MEM, onMatch, ZONE, zoneName, type Outcome, type Recogniser } from './recogniser.js';

const headers: Recogniser = {
  hint: 'Zone ranges:|Zone PFN ranges:|Movable zone start|Early memory (?:node|PFN)|active PFN ranges',
  read(text, draft) {
    if (/Zone (?:PFN )?ranges:/.test(text)) draft.enter('zone-ranges');
    else if (text.includes('Movable zone start PFN')) draft.enter('movable-pfn');
    else if (text.includes('Movable zone start')) draft.enter('movable');
    else draft.enter('early');
    return 'taken';
  },
};

const ZONE_LINE = new RegExp(
  String.raw`(?:^|\s)(${ZONE}) +(?:${MEM}|(empty)|((?:0x)?[0-9a-f]+) +-> +((?:0x)?[0-9a-f]+)) *$`,
);
const ZONE_LINE_BEGUN = new RegExp(String.raw`(?:^|\s)(?:${ZONE}) +\[mem(?: 0x[0-9a-f-x]*)?$`);

function readZoneLine(text: string, draft: Draft, line: number): Outcome {
  const match = ZONE_LINE.exec(text);
  if (match === null) return ZONE_LINE_BEGUN.test(text) ? 'partial' : undefined;
  const zone = zoneName(match[1]!);
  if (match[4] === 'empty') draft.keep(draft.zoneRanges, { zone, line }, line);
  else if (match[2] === undefined) {
    const startPfn = parseNumber(match[5]!);
    const endPfn = parseNumber(match[6]!);
    if (!isPfnRange(startPfn, endPfn)) return badPfns(text, draft, line);
    draft.keep(draft.zonePfns, { zone, startPfn: startPfn!, endPfn: endPfn!, line }, line);
  } else {
    const range = draft.range(match[2], match[3]!, line);
    if (range !== undefined) draft.keep(draft.zoneRanges, { zone, range, line }, line);
  }
  return 'taken';
}

// Old kernels print "start -> end" with equal numbers for an empty zone.
function isPfnRange(start: number | undefined, end: number | undefined): boolean {
  return start !== undefined && end !== undefined && start <= end && end < 2 ** 41;
}

function badPfns(text: string, draft: Draft, line: number): Outcome {
  draft.problems.error('BAD_RANGE', line, `"${text.trim().slice(-60)}" is no range of pages`);
  return 'taken';
}

function readMovableLine(text: string, draft: Draft, line: number): Outcome {
  const match = /(?:^|\s)Node (\d+): (0x[0-9a-f]+|\d+)\s*$/i.exec(text);
  if (match === null) return undefined;
  const nid = nodeId(match[1]!, draft, line);
  const value = draft.count(match[2]!, line);
  if (nid === undefined || value === undefined) return 'taken';
  const start = draft.block === 'movable-pfn' ? value * 4096 : value;
  if (Number.isSafeInteger(start))
    draft.keepOfNode(draft.movableStarts, { nid, start, line }, line);
  return 'taken';
}

const EARLY_PFNS = /(?:^|\s)(\d+): +(0x[0-9a-f]+|\d+) +-> +(0x[0-9a-f]+|\d+)\s*$/i;
const EARLY_MEM = new RegExp(String.raw`\bnode +(\d+): ${MEM}`, 'i');
const EARLY_BEGUN = /\bnode +\d+: \[mem(?: 0x[0-9a-fx-]*)?$/;

function readEarlyLine(text: string, draft: Draft, line: number): Outcome {
  const pfns = EARLY_PFNS.exec(text);
  if (pfns !== null) {
    const nid = nodeId(pfns[1]!, draft, line);
    const startPfn = parseNumber(pfns[2]!);
    const endPfn = parseNumber(pfns[3]!);
    if (!isPfnRange(startPfn, endPfn)) return badPfns(text, draft, line);
    if (nid !== undefined && startPfn !== endPfn) {
      draft.keep(draft.earlyPfns, { nid, startPfn: startPfn!, endPfn: endPfn!, line }, line);
    }
    return 'taken';
  }
  return undefined;
}

/** Reads a line that only its block makes meaningful; counts how long the block has been silent. */
export function readBlockLine(text: string, draft: Draft, line: number): Outcome {
  let outcome: Outcome;
  if (draft.block === 'zone-ranges') outcome = readZoneLine(text, draft, line);
  else if (draft.block === 'early') outcome = readEarlyLine(text, draft, line);
  else if (draft.block === 'movable' || draft.block === 'movable-pfn')
    outcome = readMovableLine(text, draft, line);
  else return undefined;
  if (outcome !== undefined) draft.blockGap = 0;
  else if (++draft.blockGap > MAX_BLOCK_GAP) draft.block = 'none';
  return outcome;
}

// "  node   0: [mem …]" needs no block: nothing else looks like it, and its header is often lost.
const earlyRange = onMatch(
  String.raw`node +\d+: \[mem`,
  EARLY_MEM,
  (match, draft, line) => {
    const nid = nodeId(match[1]!, draft, line);
    const range = draft.range(match[2]!, match[3]!, line);
    if (nid === undefined || range === undefined) return;
    draft.keep(draft.earlyRanges, { ...range, nid, line }, line);
    if (draft.block === 'early') draft.blockGap = 0;
  },
  EARLY_BEGUN,
);

const UNAVAILABLE = new RegExp(
  String.raw`On node (\d+), zone (${ZONE}): (\d+) pages in unavailable ranges`,
);
const OLD_UNAVAILABLE = new RegExp(String.raw`\b(${ZONE}) zone: (\d+) pages in unavailable ranges`);

const unavailable: Recogniser = {
  hint: String.raw`On node \d+, zone|\d pages in unavailable|Zeroed struct page|but unavailable:`,
  read(text, draft, line) {
    const zoned = UNAVAILABLE.exec(text);
    if (zoned !== null) {
      const nid = nodeId(zoned[1]!, draft, line);
      const pages = draft.count(zoned[3]!, line);
      if (nid === undefined || pages === undefined) return 'taken';
      draft.keep(draft.unavailable, { pages, nid, zone: zoneName(zoned[2]!), line }, line);
      return 'taken';
    }
    const whole =
      /(?:Zeroed struct page in unavailable ranges|(Reserved but unavailable)): (\d+) pages/.exec(
        text,
      );
    if (whole !== null) {
      const pages = draft.count(whole[2]!, line);
      const counts = whole[1] === undefined ? {} : { counts: 'reserved' as const };
      if (pages !== undefined) draft.keep(draft.unavailable, { pages, ...counts, line }, line);
      return 'taken';
    }
    const old = OLD_UNAVAILABLE.exec(text);
    if (old !== null) {
      const pages = draft.count(old[2]!, line);
      const nid = draft.nodePages.at(-1)?.nid;
      if (pages === undefined) return 'taken';
      const zone = zoneName(old[1]!);
      draft.keep(
        draft.unavailable,
        { pages, ...(nid === undefined ? {} : { nid }), zone, counts: 'zone', line },
        line,
      );
      return 'taken';
    }
    return /On node \d+, zone \w+: \d+ pages in(?: unavailable)?$/.test(text)
      ? 'partial'
      : undefined;
  },
};

const totalPages = onMatch(
  'totalpages:',
  /On node (\d+) totalpages: (\d+)/,
  (match, draft, line) => {
    const nid = nodeId(match[1]!, draft, line);
    const pages = draft.count(match[2]!, line);
    if (nid === undefined || pages === undefined) return;
    draft.keepOfNode(draft.nodePages, { nid, totalPages: pages, zones: [], line }, line);
  },
);

const zonePages = onMatch(
  String.raw`(?:${ZONE}) zone: \d+ pages`,
  new RegExp(
    String.raw`\b(${ZONE}) zone: (\d+) pages(?: used for (memmap)| (reserved)|, LIFO batch:(\d+))\s*$`,
  ),
  (match, draft, line) => {
    const node = draft.nodePages.at(-1);
    const pages = draft.count(match[2]!, line);
    if (node === undefined || pages === undefined) return;
    const zone = zoneName(match[1]!);
    let entry = node.zones.find((known) => known.zone === zone);
    if (entry === undefined) node.zones.push((entry = { zone }));
    if (match[3] !== undefined) entry.memmapPages = pages;
    else if (match[4] !== undefined) entry.reservedPages = pages;
    else {
      entry.pages = pages;
      const batch = draft.count(match[5]!, line);
      if (batch !== undefined) entry.lifoBatch = batch;
    }
    draft.records++;
  },
);

const fallback = onMatch(
  'Fallback order for',
  /Fallback order for Node (\d+): ((?:\d+ +)*\d+)\s*$/,
  (match, draft, line) => {
    const nid = nodeId(match[1]!, draft, line);
    const order = match[2]!.split(/ +/).map(Number);
    if (nid === undefined || order.some((node) => !Number.isSafeInteger(node))) return;
    draft.keepOfNode(draft.fallbackOrders, { nid, order, line }, line);
  },
);

const policy = onMatch(
  'Policy zone:',
  new RegExp(String.raw`Policy zone: (${ZONE})\b`),
  (match, draft, line) => {
    draft.policyZone ??= { zone: zoneName(match[1]!), line };
    draft.records++;
  },
);

const zonelists: Recogniser = {
  hint: String.raw`Built \d+ zonelists`,
  read(text, draft, line, final) {
    const match =
      /Built (\d+) zonelists(?: in (Zone|Node) order)?(?:, mobility grouping (on|off))?(?:[.,]+ +Total pages: (\d+))?(.*)$/.exec(
        text,
      );
    if (match === null) return undefined;
    // The total is the record's tail; without it the line was wrapped, cut, or is of a kernel that prints none.
    if (match[4] === undefined && !final) {
      if (ZONELISTS_TAIL.test(match[5]!)) return 'partial';
      if (/^[.,]* +T/.test(match[5]!)) return undefined;
    }
    const count = draft.count(match[1]!, line);
    if (count === undefined) return 'taken';
    const total = match[4] === undefined ? undefined : draft.count(match[4], line);
    draft.records++;
    // Hot-plug prints the line again; the first one is the boot's.
    draft.zonelists ??= {
      count,
      ...(match[2] === undefined ? {} : { order: match[2] === 'Zone' ? 'zone' : 'node' }),
      ...(match[3] === undefined ? {} : { mobility: match[3] === 'on' }),
      ...(total === undefined ? {} : { totalPages: total }),
      line,
    };
    return 'taken';
  },
};

/** What may stand behind the part of the line that was read, where the line goes on: cut between words or in one. */
const ZONELISTS_TAIL =
  /^[.,]*(?: (?:in(?: (?:Zone|Node))?|mobility(?: grouping)?| ?T(?:o|ot|ota|otal)?| ?Total p(?:a|ag|age|ages)?:?)?)?$/;

const ZONE_OF_NODE = new RegExp(`(\\d{1,4}):(${ZONE})`, 'g');

const printedZonelist = onMatch(
  'mminit::zonelist',
  new RegExp(String.raw`mminit::zonelist (general|thisnode) (\d+):(${ZONE}) = (.*)$`),
  (match, draft, line) => {
    const nid = nodeId(match[2]!, draft, line);
    const entries: { nid: number; zone: ReturnType<typeof zoneName> }[] = [];
    for (const [, node, zone] of match[4]!.matchAll(ZONE_OF_NODE)) {
      entries.push({ nid: Number(node), zone: zoneName(zone!) });
    }
    if (nid === undefined) return;
    const list = match[1] as 'general' | 'thisnode';
    const zone = zoneName(match[3]!);
    draft.keepOfNode(draft.zonelistOrders, { list, nid, zone, entries, line }, line);
  },
);

const memmapInit = onMatch(
  'mminit::memmap_init',
  /mminit::memmap_init Initialising map node (\d+) zone (\d+) pfns (\d+) -> (\d+)/,
  (match, draft, line) => {
    const nid = nodeId(match[1]!, draft, line);
    const zoneIndex = draft.count(match[2]!, line);
    const startPfn = draft.count(match[3]!, line);
    const endPfn = draft.count(match[4]!, line);
    if (nid === undefined || zoneIndex === undefined) return;
    if (startPfn === undefined || endPfn === undefined) return;
    draft.keepOfNode(draft.memmapInit, { nid, zoneIndex, startPfn, endPfn, line }, line);
  },
);

/** Recognisers of zone lines. */
export const ZONE_RECOGNISERS: readonly Recogniser[] = [
  headers,
  earlyRange,
  unavailable,
  totalPages,
  zonePages,
  fallback,
  policy,
  zonelists,
  printedZonelist,
  memmapInit,
];
