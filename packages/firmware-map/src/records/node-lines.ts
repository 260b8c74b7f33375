/**
 * Nodes: which memory and which processor belongs to which node, as SRAT and NUMA lines tell it.
 *
 *   ACPI: SRAT: Node 2 PXM 8 [mem 0x…-0x…] hotplug       last byte printed
 *   SRAT: Node 0 PXM 0 0-a0000                           2.6: end printed
 *   NUMA: Node 1 [0,a0000) + [100000,c8000000) -> [0,c8000000)
 */
import type { Draft } from './draft.js';
import type { ByteRange } from '../types/all.js';
import { MAX_NODE_ID } from '../base/constants.js';
import { MEM, onMatch, type Recogniser } from './recogniser.js';

/** A node id; reports and returns `undefined` for one that no kernel can have. */
export function nodeId(text: string, draft: Draft, line: number): number | undefined {
  const nid = draft.count(text, line);
  if (nid === undefined || nid <= MAX_NODE_ID) return nid;
  draft.problems.error(
    'BAD_NUMBER',
    line,
    `node ${nid} is above the largest node id ${MAX_NODE_ID}`,
  );
  return undefined;
}

const sratMemory = onMatch(
  'SRAT: Node',
  new RegExp(String.raw`SRAT: Node (\d+) PXM (\d+) (?:${MEM}|([0-9a-f]+)-([0-9a-f]+))(.*)$`, 'i'),
  (match, draft, line) => {
    const nid = nodeId(match[1]!, draft, line);
    const range =
      match[3] === undefined
        ? draft.range(match[5]!, match[6]!, line, true)
        : draft.range(match[3], match[4]!, line);
    const pxm = draft.count(match[2]!, line);
    if (nid === undefined || range === undefined || pxm === undefined) return;
    const hotplug = /\bhotplug\b/.test(match[7]!);
    const nonVolatile = match[7]!.includes('non-volatile');
    draft.keep(draft.srat, { ...range, nid, pxm, hotplug, nonVolatile, line }, line);
  },
  /SRAT: Node(?: \d+(?: PXM(?: \d+(?: \[(?:mem(?: [0-9a-fx-]*)?)?)?)?)?)?$/,
);

// The words after the bracket, wrapped away from their line.
const sratTail = onMatch(
  '^ *(?:hotplug|non-volatile)',
  /^ *(hotplug)?(?: *)(non-volatile)?$/,
  (match, draft, line) => {
    const entry = draft.srat.at(-1);
    if (entry?.line !== line - 1 && entry?.line !== line - 2) return;
    if (match[1] !== undefined) entry.hotplug = true;
    if (match[2] !== undefined) entry.nonVolatile = true;
  },
);

const sratCpu = onMatch(
  'SRAT: PXM',
  /SRAT: PXM (\d+) -> (?:APIC|X2APIC|MPIDR|ACPI|HARTID) (?:0x)?([0-9a-f]+) -> Node (\d+)/i,
  (match, draft, line) => {
    const nid = nodeId(match[3]!, draft, line);
    const pxm = draft.count(match[1]!, line);
    const id = draft.count(`0x${match[2]!}`, line);
    if (nid === undefined || pxm === undefined || id === undefined) return;
    draft.keep(draft.cpuAffinity, { nid, pxm, id, line }, line);
  },
);

const MERGE_PART = String.raw`(?:\[mem 0x[0-9a-f]+-0x[0-9a-f]+\]|\[[0-9a-f]+,[0-9a-f]+\))`;
const MERGE = new RegExp(
  String.raw`NUMA: Node (\d+) (${MERGE_PART}) \+ (${MERGE_PART}) -> (${MERGE_PART})`,
  'i',
);

function mergePart(text: string, draft: Draft, line: number): ByteRange | undefined {
  const numbers = /([0-9a-f]+)[-,](?:0x)?([0-9a-f]+)[)\]]$/i.exec(text)!;
  return draft.range(numbers[1]!, numbers[2]!, line, text.endsWith(')'));
}

const merges = onMatch('NUMA: Node', MERGE, (match, draft, line) => {
  const nid = nodeId(match[1]!, draft, line);
  const parts = [mergePart(match[2]!, draft, line), mergePart(match[3]!, draft, line)];
  const result = mergePart(match[4]!, draft, line);
  if (nid === undefined || result === undefined) return;
  const whole = parts.filter((part) => part !== undefined);
  if (whole.length === parts.length) {
    draft.keep(draft.merges, { nid, parts: whole, result, line }, line);
  }
});

const NODE_DATA = new RegExp(
  String.raw`NODE_DATA(?:\((\d+)\) allocated)? (?:${MEM}|\[([0-9a-f]{12,16}) - ([0-9a-f]{12,16})\])`,
  'i',
);

const nodeData: Recogniser = {
  hint: 'NODE_DATA',
  read(text, draft, line) {
    const onNode = /NODE_DATA\((\d+)\) on node (\d+)/.exec(text);
    if (onNode !== null) {
      const nid = nodeId(onNode[1]!, draft, line);
      const home = nodeId(onNode[2]!, draft, line);
      const entry = draft.nodeData.findLast((data) => data.nid === nid);
      if (entry !== undefined && home !== undefined) entry.onNode = home;
      draft.records++;
      return 'taken';
    }
    const match = NODE_DATA.exec(text);
    if (match === null)
      return /NODE_DATA(?:\(\d+\))?(?: allocated)?(?: \[[^\]]*)?$/.test(text)
        ? 'partial'
        : undefined;
    // arm64 and ppc64 do not print whose data it is; they go through the nodes in order.
    const nid = match[1] === undefined ? unnamedNode(draft) : nodeId(match[1], draft, line);
    const range =
      match[2] === undefined
        ? draft.range(match[4]!, match[5]!, line)
        : draft.range(match[2], match[3]!, line);
    if (nid !== undefined && range !== undefined) {
      draft.keepOfNode(draft.nodeData, { ...range, nid, line }, line);
    }
    return 'taken';
  },
};

function unnamedNode(draft: Draft): number {
  const last = draft.nodeData.at(-1);
  const setup = draft.nodeSetups.at(-1);
  if (setup !== undefined && setup.line > (last?.line ?? 0)) return setup.nid;
  return last === undefined ? 0 : Math.min(last.nid + 1, MAX_NODE_ID);
}

const FAKING = new RegExp(
  String.raw`Faking (?:a node|node (\d+)) at (?:${MEM}|([0-9a-f]{12,16})-([0-9a-f]{12,16}))`,
  'i',
);

const faking: Recogniser = {
  hint: 'Faking ',
  read(text, draft, line) {
    const match = FAKING.exec(text);
    if (match === null)
      return /Faking (?:a node|node \d+)(?: at(?: \[[^\]]*)?)?$/.test(text) ? 'partial' : undefined;
    const range =
      match[2] === undefined
        ? draft.range(match[4]!, match[5]!, line, true)
        : draft.range(match[2], match[3]!, line);
    if (range === undefined) return 'taken';
    if (match[1] === undefined) {
      draft.single = { ...range, line };
      draft.records++;
      return 'taken';
    }
    const nid = nodeId(match[1], draft, line);
    if (nid !== undefined) draft.keep(draft.faked, { ...range, nid, line }, line);
    return 'taken';
  },
};

const SETUP = new RegExp(
  String.raw`Initmem setup node (\d+) (?:${MEM}|([0-9a-f]{12,16})-([0-9a-f]{12,16}))`,
  'i',
);

const setup: Recogniser = {
  hint: 'Initmem setup node|as memoryless|Could not find start_pfn for node',
  read(text, draft, line) {
    const empty =
      /(?:(?:Initmem setup|Initializing) node (\d+) (?:as memoryless|\[<memory-less node>\])|Could not find start_pfn for node (\d+))/.exec(
        text,
      );
    if (empty !== null) {
      const nid = nodeId(empty[1] ?? empty[2]!, draft, line);
      if (nid !== undefined) draft.keepOfNode(draft.nodeSetups, { nid, line }, line);
      return 'taken';
    }
    const match = SETUP.exec(text);
    if (match === null)
      return /Initmem setup node(?: \d+(?: \[[^\]]*| as)?)?$/.test(text) ? 'partial' : undefined;
    const nid = nodeId(match[1]!, draft, line);
    if (nid === undefined) return 'taken';
    const [first, last] = match[2] === undefined ? [match[4]!, match[5]!] : [match[2], match[3]!];
    // ppc64 prints 0x0-0xffff…ff, and other kernels [0x0-0x0], for a node without memory.
    if (Number.parseInt(last, 16) <= Number.parseInt(first, 16) || /^f{16}$/i.test(last)) {
      draft.keepOfNode(draft.nodeSetups, { nid, line }, line);
      return 'taken';
    }
    const range = draft.range(first, last, line, match[2] === undefined);
    if (range !== undefined) draft.keepOfNode(draft.nodeSetups, { nid, range, line }, line);
    return 'taken';
  },
};

const rejection = onMatch(
  'NUMA turned off|NUMA disabled|No NUMA config|nodes only cover|SRAT not used|no nodes coverage for',
  /(no nodes coverage for \d+MB of \d+MB RAM|NUMA turned off|NUMA disabled[^,]*|No NUMA configuration found|nodes only cover \d+MB of your \d+MB e820 RAM\. Not used\.|SRAT not used\.?)/,
  (match, draft, line) => {
    draft.rejected ??= { reason: match[1]!, line };
    draft.records++;
  },
);

const distances = onMatch(
  'distance table, cnt',
  /Initialized distance table, cnt=(\d+)/,
  (match, draft, line) => {
    draft.distanceCount = draft.count(match[1]!, line);
    draft.records++;
  },
);

const slit = onMatch('ACPI: SLIT ', /ACPI: SLIT (?:0x)?[0-9a-f]{8,16} /i, (_match, draft) => {
  draft.slit = true;
  draft.records++;
});

/** Recognisers of node lines. */
export const NODE_RECOGNISERS: readonly Recogniser[] = [
  sratMemory,
  sratTail,
  sratCpu,
  merges,
  nodeData,
  faking,
  setup,
  rejection,
  distances,
  slit,
];
