/** Lines that tell which memory and which processor belongs to which node. */
import { MAX_NODE_ID } from '../base/constants.js';
import type { Fields } from './fields.js';
import type { Shape } from './shape-tree.js';

function isNode(nid: number): boolean {
  return nid <= MAX_NODE_ID;
}

const SRAT = ['SRAT: ', 'ACPI: SRAT: '];
const TAILS = [
  { words: '', hotplug: false, nonVolatile: false },
  { words: ' hotplug', hotplug: true, nonVolatile: false },
  { words: ' non-volatile', hotplug: false, nonVolatile: true },
  { words: ' hotplug non-volatile', hotplug: true, nonVolatile: true },
];

const affinities = SRAT.flatMap((begin) =>
  TAILS.map(({ words, hotplug, nonVolatile }): Shape => ({
    text: `${begin}Node %d PXM %d [mem 0x%x-0x%x]${words}`,
    take(fields, draft, line) {
      const nid = fields.numbers[0]!;
      const pxm = fields.numbers[1]!;
      if (!isNode(nid) || !fields.isRange(2)) return false;
      const start = fields.numbers[2]!;
      const end = fields.numbers[3]! + 1;
      draft.keepOwn(draft.srat, { start, end, nid, pxm, hotplug, nonVolatile, line }, line);
      return true;
    },
  })),
);

const processors = ['APIC', 'X2APIC', 'MPIDR', 'ACPI', 'HARTID'].map((kind): Shape => ({
  text: `SRAT: PXM %d -> ${kind} 0x%x -> Node %d`,
  take({ numbers }, draft, line) {
    const nid = numbers[2]!;
    if (!isNode(nid)) return false;
    draft.keepOwn(draft.cpuAffinity, { nid, pxm: numbers[0]!, id: numbers[1]!, line }, line);
    return true;
  },
}));

/** The range of two numbers that are one. */
function rangeOf({ numbers }: Fields, index: number): { start: number; end: number } {
  return { start: numbers[index]!, end: numbers[index + 1]! + 1 };
}

const merge: Shape = {
  text: 'NUMA: Node %d [mem 0x%x-0x%x] + [mem 0x%x-0x%x] -> [mem 0x%x-0x%x]',
  take(fields, draft, line) {
    const nid = fields.numbers[0]!;
    if (!isNode(nid) || !fields.isRange(1) || !fields.isRange(3) || !fields.isRange(5)) {
      return false;
    }
    const parts = [rangeOf(fields, 1), rangeOf(fields, 3)];
    draft.keepOwn(draft.merges, { nid, parts, result: rangeOf(fields, 5), line }, line);
    return true;
  },
};

const nodeData: Shape = {
  text: 'NODE_DATA(%d) allocated [mem 0x%x-0x%x]',
  take(fields, draft, line) {
    const nid = fields.numbers[0]!;
    if (!isNode(nid) || !fields.isRange(1)) return false;
    draft.mapHandedOver = true;
    const start = fields.numbers[1]!;
    const end = fields.numbers[2]! + 1;
    draft.keepOwnOfNode(draft.nodeData, { start, end, nid, line }, line);
    return true;
  },
};

const setup: Shape = {
  text: 'Initmem setup node %d [mem 0x%x-0x%x]',
  take(fields, draft, line) {
    const nid = fields.numbers[0]!;
    // One byte from 0 on is how some kernels write that there is none.
    if (!isNode(nid) || !fields.isRange(1) || fields.numbers[1] === fields.numbers[2]) return false;
    draft.keepOwnOfNode(draft.nodeSetups, { nid, range: rangeOf(fields, 1), line }, line);
    return true;
  },
};

/** Shapes of nodes' lines. */
export const NODE_SHAPES: readonly Shape[] = [...affinities, ...processors, merge, nodeData, setup];
