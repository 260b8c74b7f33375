/**
 * Other numbers for the same nodes, everywhere: in the tables that the kernel was given, in what it printed, in /proc and
 * sysfs. A number is a label: zones, pages present and managed go with it.
 *
 * Not everything is symmetric. Where nodes are equally far, the lower number comes first; sizes given by `kernelcore=` are
 * dealt out node by node, and what is left over depends on the order; so do the cuts of `numa=fake`.
 */
import type { Random } from '../../../kit/random.mjs';
import type { Recording } from '../recording.js';
import { keepsFacts } from '../variant.js';
import type { Rule, Variant } from '../variant.js';

/** Words before a node's number. */
const NODE_WORDS =
  /(SRAT: Node |-> Node |NUMA: Node |Faking node |NODE_DATA\(|on node |Initmem setup node |Initializing node |On node |\bnode +|map node |Fallback order for Node |\bNode +|nid=|node:)(\d+)\b/g;
const FALLBACK = /(Fallback order for Node \d+:)((?: \d+)+)/;
const ZONELIST = /(mminit::zonelist \w+ )(.*)$/;
/** An early range of old kernels: a line of its own below its header. */
const OLD_RANGE = /^((?:\[[ \d.]+\])? +)(\d+): (?=0x[0-9a-f]+ -> 0x[0-9a-f]+ *$)/;
const ZONELIST_ENTRY = /(\d+):(DMA|DMA32|Normal|HighMem|Movable|Device)\b/g;

type Labels = ReadonlyMap<number, number>;

function renamed(text: string, labels: Labels): string {
  return text.replace(NODE_WORDS, (whole, words: string, number: string) => {
    const label = labels.get(Number(number));
    return label === undefined ? whole : words + String(label);
  });
}

function renamedLine(line: string, labels: Labels): string {
  const label = (number: string): string => String(labels.get(Number(number)) ?? number);
  const text = renamed(line, labels);
  return text
    .replace(OLD_RANGE, (_, head: string, nid: string) => `${head}${label(nid)}: `)
    .replace(FALLBACK, (_, head: string, order: string) => head + order.replace(/\d+/g, label))
    .replace(
      ZONELIST,
      (_, head: string, rest: string) =>
        head +
        rest.replace(
          ZONELIST_ENTRY,
          (_entry, nid: string, zone: string) => `${label(nid)}:${zone}`,
        ),
    );
}

/** nodes.txt: a part for each node, in the order of their numbers; distances in that order too. */
function renamedNodes(text: string, labels: Labels): string {
  const parts = text.split(/^(?=--- )/m);
  const isOfNode = (part: string): RegExpExecArray | null =>
    /^--- \/sys\/devices\/system\/node\/node(\d+)\//.exec(part);
  const nids = [...new Set(parts.flatMap((part) => isOfNode(part)?.[1] ?? []).map(Number))].sort(
    (a, b) => a - b,
  );
  const order = [...nids].sort((a, b) => labels.get(a)! - labels.get(b)!);
  const byNode = new Map(
    nids.map((nid) => [nid, parts.filter((part) => Number(isOfNode(part)?.[1] ?? -1) === nid)]),
  );
  const moved = order.flatMap((nid) =>
    byNode.get(nid)!.map((part) => {
      const named = renamed(part.replace(`/node${nid}/`, `/node${labels.get(nid)!}/`), labels);
      if (!part.includes('/distance\n')) return named;
      const columns = part.split('\n')[1]!.trim().split(/ +/);
      const row = order.map((other) => columns[nids.indexOf(other)]).join(' ');
      return `${named.split('\n')[0]!}\n${row}\n`;
    }),
  );
  return [...parts.filter((part) => isOfNode(part) === null), ...moved].join('');
}

function renamedMemblock(text: string, labels: Labels): string {
  return text.replace(
    /(\.\.0x[0-9a-f]+ +)(\d+)/g,
    (_, head: string, nid: string) => head + String(labels.get(Number(nid)) ?? nid),
  );
}

function renamedFile(name: string, text: string, labels: Labels): string {
  if (name === 'nodes.txt') return renamedNodes(text, labels);
  if (name === 'debugfs_memblock.txt') return renamedMemblock(text, labels);
  return name === 'iomem.txt' || name === 'firmware_memmap.txt' ? text : renamed(text, labels);
}

function renamedBesides(
  { blocks, steps }: Recording['besides'],
  labels: Labels,
): Recording['besides'] {
  const label = <T extends { readonly nid: number }>(one: T): T => ({
    ...one,
    nid: labels.get(one.nid) ?? one.nid,
  });
  return {
    ...(blocks === undefined ? {} : { blocks: { ...blocks, blocks: blocks.blocks.map(label) } }),
    ...(steps === undefined
      ? {}
      : {
          steps: steps.map((step) => ({
            ...step,
            zoneinfo: step.zoneinfo.map(label),
            blocks: { ...step.blocks, blocks: step.blocks.blocks.map(label) },
          })),
        }),
  };
}

/** Numbers of the nodes that a recording speaks of, ascending. */
function nodesOf({ lines, files }: Recording): number[] {
  const nids = new Set<number>();
  for (const line of lines) {
    const match =
      /(?:Initmem setup|Initializing) node (\d+)|\bnode +(\d+): \[mem|On node (\d+)|Fallback order for Node (\d+)|SRAT: Node (\d+)/.exec(
        line,
      );
    const nid = match?.slice(1).find((group: string | undefined) => group !== undefined);
    if (nid !== undefined) nids.add(Number(nid));
  }
  for (const match of (files.get('zoneinfo.txt') ?? '').matchAll(/^Node (\d+), zone/gm))
    nids.add(Number(match[1]));
  return [...nids].sort((a, b) => a - b);
}

/** Whether each node's distances to the others are all different, so that the order of fallback has no ties. */
function hasTies(recording: Recording, nids: readonly number[]): boolean {
  if (nids.length <= 2) return false;
  const rows = [...(recording.files.get('nodes.txt') ?? '').matchAll(/\/distance\n([\d ]+)\n/g)];
  if (rows.length < nids.length) return true;
  return rows.some(([, row], index) => {
    const others = row!
      .trim()
      .split(/ +/)
      .filter((_, column) => column !== index);
    return new Set(others).size < others.length;
  });
}

function isAsymmetric({ lines }: Recording): boolean {
  return lines.some((line) =>
    /ommand line:.*(?:kernelcore=\d|movablecore=|numa=fake)|Faking/.test(line),
  );
}

/** Lines whose order among equals follows the numbers, not the memory. */
function withoutTies(recording: Recording): Recording {
  return {
    ...recording,
    lines: recording.lines.filter((line) => !/Fallback order for Node|mminit::zonelist/.test(line)),
  };
}

function shuffled(items: readonly number[], random: Random): number[] {
  const result = [...items];
  for (let at = result.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [result[at], result[other]] = [result[other]!, result[at]!];
  }
  return result;
}

/** Another order, whatever the seed: with two nodes half of all shuffles change nothing. */
function otherOrder(items: readonly number[], random: Random): number[] {
  for (;;) {
    const order = shuffled(items, random);
    if (order.some((item, index) => item !== items[index])) return order;
  }
}

/** A rule that gives nodes other numbers, out of order: where ties would fall another way, their lines are left out. */
/** Kernels 5.10 … 5.13 go from node to node with the end of the last memory in hand: what lies lower is no hole then. */
function carriesHoles({ lines }: Recording): boolean {
  return lines.some((line) => /\b\w+ zone: \d+ pages in unavailable ranges/.test(line));
}

function reordering(
  name: string,
  next: (nids: readonly number[], random: Random) => readonly number[],
): Rule {
  return {
    class: 'renaming',
    name,
    reason: 'a node number is a label: zones, present and managed pages go with it',
    vary: (recording, random) => {
      const nids = nodesOf(recording);
      if (nids.length < 2 || isAsymmetric(recording) || carriesHoles(recording)) return undefined;
      const plain = hasTies(recording, nids) ? withoutTies(recording) : recording;
      return vary(plain, nids, next(nids, random));
    },
  };
}

/** Ascending numbers, some of them left out. */
function withGaps(count: number, random: Random): number[] {
  let last = -1;
  return Array.from({ length: count }, () => (last += 1 + random.below(4)));
}

function vary(
  recording: Recording,
  nids: readonly number[],
  next: readonly number[],
): Variant | undefined {
  if (next.every((nid, index) => nid === nids[index])) return undefined;
  const labels = new Map(nids.map((nid, index) => [nid, next[index]!]));
  const lines = recording.lines.map((line) => renamedLine(line, labels));
  const files = new Map(
    [...recording.files].map(([name, text]) => [name, renamedFile(name, text, labels)] as const),
  );
  const what = [...labels].map(([from, to]) => `${from} as ${to}`).join(', ');
  return {
    what: `nodes called anew: ${what}`,
    base: recording,
    recording: { ...recording, lines, files, besides: renamedBesides(recording.besides, labels) },
    judge: (before, after) => keepsFacts(before, after),
  };
}

/** Rules that call nodes by other numbers. */
export const RENAMING_RULES: readonly Rule[] = [
  reordering('nodes swapped', otherOrder),
  reordering('nodes in reverse order', (nids) => nids.toReversed()),
  reordering('nodes swapped and numbered with gaps', (nids, random) =>
    otherOrder(withGaps(nids.length, random), random),
  ),
  {
    class: 'renaming',
    name: 'nodes numbered with gaps',
    reason: 'the order of the numbers is the same, so even ties fall as before',
    vary: (recording, random) => {
      const nids = nodesOf(recording);
      if (isAsymmetric(recording)) return undefined;
      // A single node has number 0 where no table names it.
      if (nids.length === 1) return undefined;
      return vary(recording, nids, withGaps(nids.length, random));
    },
  },
];
