/**
 * The other boot's inputs: the log's description with another command line, and without anything that today's options
 * or today's boot made of it.
 *
 * ```
 * firmware's map    kept          user: and modified: maps, limits of mem=    gone when mem= or memmap= change
 * SRAT              kept          faked nodes, node data, "no table used"     gone: nodes are worked out anew
 * sizes, late frees kept          places, zones, ranges, totals               gone: that is what is asked
 * ```
 */
import { parseMemoryOptions } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { PHYS_ADDR_MAX } from '@bootmem/memblock';
import { BootmemError } from '../errors.js';
import { omit } from './omit.js';
import { changedCommandLine } from './changes.js';
import type { Changes } from './changes.js';

/** The other boot before anything is worked out. */
export interface OtherBoot {
  readonly description: MachineDescription;
  /** What differs from today. */
  readonly differs: {
    readonly map: boolean;
    readonly nodes: boolean;
    readonly kernel: boolean;
  };
  /** What cannot be undone or done, so that no figure of memory follows. */
  readonly doubts: readonly string[];
}

type Options = MachineDescription['options'];

const isX86 = ({ architecture }: MachineDescription): boolean =>
  architecture === undefined || architecture === 'x86_64' || architecture === 'i386';

/** What decides the map, and what decides the nodes. */
const mapOf = ({ mem, memAt, memmap, efiFakeMem, addEfiMemmap }: Options): string =>
  JSON.stringify([mem, memAt, memmap, efiFakeMem, addEfiMemmap]);
const nodesOf = ({ numa }: Options): string => JSON.stringify(numa);

/**
 * The inputs of the other boot.
 * @param today    what the log says
 * @param changes  what shall be different
 * @throws BootmemError ERR_BOOTMEM_USAGE when an option to remove is not there
 */
export function otherBoot(today: MachineDescription, changes: Changes): OtherBoot {
  const text = changedCommandLine(today.commandLine?.text ?? '', changes);
  const { options, problems } = parseMemoryOptions(text);
  const differs = {
    map: mapOf(options) !== mapOf(today.options),
    nodes: nodesOf(options) !== nodesOf(today.options) || changes.nodes !== undefined,
    kernel: changes.kernel !== undefined,
  };
  const doubts: string[] = [];
  const firmware = differs.map ? firmwareOf(today, doubts) : today.firmware;
  const description: MachineDescription = {
    ...today,
    commandLine: { text, line: today.commandLine?.line ?? 0 },
    options,
    firmware,
    numa: numaOf(today, differs, doubts),
    printed: printedOf(today, differs, doubts),
    memblock: { dumps: [], operations: [] },
    proc: procOf(today, differs.nodes),
    problems: [...today.problems, ...problems],
    ...(changes.kernel === undefined ? {} : { kernel: identityOf(changes.kernel) }),
  };
  return { description: withNodes(description, changes.nodes), differs, doubts };
}

function identityOf(release: string): NonNullable<MachineDescription['kernel']> {
  if (!/^\d{1,3}\.\d{1,3}(?:\.\d{1,3})?$/.test(release)) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      `kernel is a release such as 7.3, got '${release}'`,
      {
        kernel: release,
      },
    );
  }
  return { release, numbers: release.split('.').map(Number), line: 0 };
}

/** Whether the log says what the firmware said. */
function hasMap({ firmware, proc }: MachineDescription): boolean {
  const { map, setupData, efi } = firmware;
  return map.length + setupData.length + efi.length + (proc.firmwareMemmap ?? []).length > 0;
}

/** The firmware's words alone: what options made of them stands in other maps, and in edits before those. */
function firmwareOf(today: MachineDescription, doubts: string[]): MachineDescription['firmware'] {
  const { firmware } = today;
  if (hasMap(today) && !isX86(today) && firmware.efi.length === 0) {
    doubts.push('mem= and memmap= are modelled for x86 and for EFI maps');
  }
  const user = firmware.user[0]?.line;
  const isOfOptions = ({ line, action, end }: (typeof firmware.edits)[number]): boolean =>
    (user !== undefined && line < user) || (action === 'remove' && end >= PHYS_ADDR_MAX);
  return {
    ...firmware,
    user: [],
    // A modified map is made from the user's where there is one.
    modified: user === undefined ? firmware.modified : [],
    edits: firmware.edits.filter((edit) => !isOfOptions(edit)),
  };
}

function numaOf(
  today: MachineDescription,
  differs: { readonly map: boolean; readonly nodes: boolean },
  doubts: string[],
): MachineDescription['numa'] {
  const { rejected, faked } = today.numa;
  const numa = omit(today.numa, 'single', 'rejected');
  const wasOff = today.options.numa.some(({ mode }) => mode === 'off' || mode === 'noacpi');
  if (wasOff && numa.srat.length === 0) {
    doubts.push('numa= of today’s command line kept the kernel from reading the node tables');
  }
  // A log that lost a part of its command line, or a kernel that was built with one: its nodes stay as they are.
  const isUnasked = faked.length > 0 && !today.options.numa.some(({ mode }) => mode === 'fake');
  const isKept = isUnasked && !differs.nodes;
  if (isKept && differs.map)
    doubts.push('the command line in the log does not say how nodes were faked');
  // A table that the kernel throws away is as good as none.
  const isUsed = rejected === undefined;
  const nodesDiffer = differs.nodes;
  return {
    ...numa,
    faked: isKept ? faked : [],
    nodeData: [],
    // Processors belong to nodes that the tables name; other nodes share them out anew.
    ...(nodesDiffer ? { cpus: [] } : {}),
    ...(isUsed ? {} : { srat: [], merges: [] }),
  };
}

function printedOf(
  today: MachineDescription,
  differs: { readonly map: boolean; readonly nodes: boolean },
  doubts: string[],
): MachineDescription['printed'] {
  const { printed } = today;
  const rest = omit(printed, 'cma', 'failures', 'policyZone', 'zonelists');
  // Without a map of the firmware, what the kernel printed of memory is all that is known.
  const { earlyRanges } = printed;
  if (!hasMap(today) && earlyRanges.length > 0 && (differs.map || differs.nodes)) {
    doubts.push('the log holds no map of the firmware: other memory or other nodes do not follow');
  }
  return {
    ...rest,
    movableStarts: [],
    earlyRanges: hasMap(today) ? [] : earlyRanges,
    nodeSetups: [],
    unavailable: [],
    nodePages: [],
    fallbackOrders: [],
    zonelistOrders: [],
    memmapInit: [],
    deviceInit: [],
    crashkernel: [],
    hugetlb: printed.hugetlb.map((line) => ({ ...line, preallocated: 0 })),
  };
}

function procOf({ proc }: MachineDescription, nodesDiffer: boolean): MachineDescription['proc'] {
  const { iomem, pagetypeinfo, firmwareMemmap, nodes } = proc;
  return {
    ...(iomem === undefined ? {} : { iomem }),
    ...(pagetypeinfo === undefined ? {} : { pagetypeinfo }),
    ...(firmwareMemmap === undefined ? {} : { firmwareMemmap }),
    ...(nodes === undefined || nodesDiffer ? {} : { nodes }),
  };
}

/** Borders between asked nodes lie at multiples of this, bytes. */
const NODE_GRAIN = 2 ** 27;

/** Nodes of equal size, as if the firmware had said so. */
function withNodes(description: MachineDescription, count: number | undefined): MachineDescription {
  if (count === undefined) return description;
  const end = [...description.firmware.map, ...description.firmware.efi]
    .filter((entry) => !('kind' in entry) || entry.kind === 'usable')
    .reduce((high, entry) => Math.max(high, entry.end), 0);
  const share = Math.ceil(end / count / NODE_GRAIN) * NODE_GRAIN;
  const blocks = Array.from({ length: count }, (_, nid) => ({
    start: nid * share,
    end: nid === count - 1 ? Math.max(end, (nid + 1) * share) : (nid + 1) * share,
    nid,
    line: 0,
  }));
  const numa = omit(description.numa, 'distances');
  return { ...description, numa: { ...numa, srat: [], merges: [], blocks } };
}
