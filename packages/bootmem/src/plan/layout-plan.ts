/**
 * The pure half of a boot: description → memory of each node → zones → holes. Nothing is allocated, no
 * thread runs; `check` compares this with what the kernel printed, `boot` builds on it.
 *
 * ```
 * firmware map ─ edits, options ─▶ memory[nid] ─ zone limits, movable ─▶ zones ─ sections ─▶ holes
 * ```
 */
import { atOnce, deriveMemorySteps } from '@bootmem/firmware-map/derive';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { DerivedMemory, Steps } from '@bootmem/firmware-map/derive';
import type { MemoryAmount } from '@bootmem/firmware-map/types';
import { zoneLayout } from '@bootmem/buddy-allocator/zones';
import type {
  CoreSize,
  MovablePolicy,
  UnavailableHole,
  ZoneLayout,
} from '@bootmem/buddy-allocator/zones';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { PfnRange } from '@bootmem/memmap';
import { BootmemError } from '../errors.js';
import { largestBlockPages } from './largest-block.js';
import { toPageFrames } from './page-frames.js';
import { chooseRelease, kernelOf } from './profile.js';
import type { KernelBehaviour } from './profile.js';
import type { PrintedProfile } from './releases.js';
import { checkReach } from './limits/reach.js';
import { chooseLimits, zonesEndOf } from './zones/choose-limits.js';
import type { ChosenLimits } from './zones/choose-limits.js';
import type { DescriptorMap } from './zones/descriptor-map.js';
import { holeModels, sectionPages } from './zones/memory-model.js';
import type { HoleModel, MemoryModel } from './zones/memory-model.js';

/** Everything that follows from a description alone. */
export interface LayoutPlan {
  readonly description: MachineDescription;
  /** What its kernel does. */
  readonly kernel: KernelBehaviour;
  /** The same in bytes, with marks "can be unplugged" as the kernel leaves them: what memblock is given. */
  readonly derived: DerivedMemory;
  readonly pageSize: number;
  /** Pages of one section. */
  readonly pagesPerSection: number;
  /** Memory with nodes that zones have, ascending: {@link wholeMemory} without what lies behind the last zone. */
  readonly memory: readonly MemoryPfnRange[];
  /** Device memory: whole pages of `derived.persistent`. */
  readonly devices: readonly (PfnRange & { readonly nid: number })[];
  readonly maxPfn: number;
  readonly limits: ChosenLimits;
  readonly layout: ZoneLayout;
  readonly holes: readonly UnavailableHole[];
  /** How the kernel keeps its descriptors: what the printed holes tell, SPARSEMEM where they tell nothing. */
  readonly memoryModel: MemoryModel;
  /** Where they are. */
  readonly descriptors: DescriptorMap;
  /** Other models that the printed holes would fit as well, were lines of them lost. */
  readonly otherModels: readonly HoleModel[];
}

function coreSize(amount: MemoryAmount, pageSize: number): CoreSize {
  // The kernel counts these options in whole pages, cut off.
  return 'percent' in amount
    ? { percent: amount.percent }
    : { pages: Math.floor(amount.bytes / pageSize) };
}

/** The machine mirrors no memory, or the kernel is one that saves a crash. */
const IGNORES_MIRROR = 'ignore kernelcore=mirror';

/**
 * What the command line asks about movable memory.
 * @param description  the machine
 * @remarks `movable_node` wins over sizes, `kernelcore=mirror` over `movable_node`'s absence, as in the kernel
 */
function movablePolicy(
  description: MachineDescription,
  { mirroredCore }: PrintedProfile,
): MovablePolicy {
  const { options, printed } = description;
  const pageSize = description.pageSize ?? 4096;
  if (options.movableNode) return { kind: 'node' };
  const { kernelcore, movablecore } = options;
  if (kernelcore !== undefined && 'mirror' in kernelcore) {
    const isIgnored = (printed.failures ?? []).some(({ text }) => text.includes(IGNORES_MIRROR));
    return isIgnored || mirroredCore === 'unknown'
      ? { kind: 'none' }
      : { kind: 'mirror', always: mirroredCore === 'always' };
  }
  if (kernelcore === undefined && movablecore === undefined) return { kind: 'none' };
  return {
    kind: 'size',
    ...(kernelcore === undefined ? {} : { kernelcore: coreSize(kernelcore, pageSize) }),
    ...(movablecore === undefined ? {} : { movablecore: coreSize(movablecore, pageSize) }),
  };
}

/**
 * Takes the mark "can be unplugged" from nodes that hold something the kernel needs, as it does before it
 * looks at `movable_node`. What is held is known from the dump, else the initrd's node and node 0.
 */
function unplugMarks(
  description: MachineDescription,
  memory: DerivedMemory['memory'],
): DerivedMemory['memory'] {
  if (!memory.some((range) => range.hotplug)) return memory;
  const held = new Set<number>([0]);
  const last = description.memblock.dumps.findLast((dump) => dump.complete);
  // Nodes that hold their own data only are still free to go: that is allocated after the marks are set.
  const data = new Set(description.numa.nodeData.map((one) => one.start));
  for (const region of last?.reserved ?? []) {
    if (region.nid !== undefined && !data.has(region.start)) held.add(region.nid);
  }
  const initrd = description.printed.ramdisk;
  for (const range of memory) {
    if (initrd !== undefined && initrd.start < range.end && initrd.end > range.start) {
      held.add(range.nid);
    }
  }
  return memory.map((range) => (held.has(range.nid) ? { ...range, hotplug: false } : range));
}

/** Memory that zones have: what no zone reaches is left to memblock. */
function below(memory: readonly MemoryPfnRange[], endPfn: number): MemoryPfnRange[] {
  const whole = memory.findLastIndex((range) => range.endPfn <= endPfn) + 1;
  const rest = memory
    .slice(whole)
    .filter(({ startPfn }) => startPfn < endPfn)
    .map((range) => ({ ...range, endPfn }));
  return [...memory.slice(0, whole), ...rest];
}

/** All memory that memblock knows, in page frames: also what no zone has. */
export function wholeMemory({
  derived,
  pageSize,
}: Pick<LayoutPlan, 'derived' | 'pageSize'>): MemoryPfnRange[] {
  // Written out: with what else a range carries, a copy of each costs far more than its two ends.
  const memory: MemoryPfnRange[] = [];
  for (const { start, end, nid, hotplug, mirror } of derived.memory) {
    const startPfn = Math.ceil(start / pageSize);
    const endPfn = Math.floor(end / pageSize);
    if (startPfn >= endPfn) continue;
    const range = { nid, hotplug, startPfn, endPfn };
    memory.push(mirror === undefined ? range : { ...range, mirror });
  }
  return memory;
}

/**
 * Plans a machine.
 * @param description  the machine
 * @param profile      kernel release to follow: `auto`, `latest` or `MAJOR.MINOR`
 * @param from         `firmware`: never look at the printed early ranges (for comparisons); `auto`: use
 *   them when the map is missing
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no page of memory follows from the description, ERR_BOOTMEM_INPUT when
 *   more memory does than any boot can bring up, or no zone has any, ERR_BOOTMEM_USAGE for another profile
 */
export function planLayout(
  description: MachineDescription,
  profile = 'auto',
  from: 'auto' | 'firmware' | 'early-ranges' = 'auto',
): LayoutPlan {
  return atOnce(planLayoutSteps(description, profile, from));
}

/** The same, to be interrupted. */
export function* planLayoutSteps(
  description: MachineDescription,
  profile = 'auto',
  from: 'auto' | 'firmware' | 'early-ranges' = 'auto',
): Steps<LayoutPlan> {
  const kernel = kernelOf(chooseRelease(profile, description));
  const found = yield* deriveMemorySteps(description, {
    from,
    release: kernel.release ?? 'latest',
  });
  yield;
  const derived = { ...found, memory: unplugMarks(description, found.memory) };
  const { pageSize } = derived;
  const memory = wholeMemory({ derived, pageSize });
  yield;
  const last = memory.at(-1);
  if (last === undefined) {
    throw new BootmemError(
      'ERR_BOOTMEM_NO_MEMORY_MAP',
      `no usable memory follows from the input${derived.problems[0] === undefined ? '' : `: ${derived.problems[0].message}`}`,
      { problems: derived.problems },
    );
  }
  const maxPfn = Math.max(derived.maxPfn, last.endPfn);
  const minPfn = memory[0]!.startPfn;
  const pagesPerSection = sectionPages(description, kernel.printed, pageSize);
  checkReach(memory, pageSize, pagesPerSection);
  const extent = { description, printed: kernel.printed, pageSize, minPfn, maxPfn };
  const limits = chooseLimits(extent);
  const zonesEnd = zonesEndOf(limits, extent);
  yield;
  const layout = zoneLayout({
    memory,
    limits: limits.limits,
    movable: movablePolicy(description, kernel.printed),
    memorylessNids:
      description.numa.rejected === undefined
        ? derived.nodes.filter((node) => !node.hasMemory).map((node) => node.nid)
        : [],
    maxOrderPages: largestBlockPages(description, pageSize),
    pageShift: Math.log2(pageSize),
  });
  yield;
  const sections = { pagesPerSection, pageSize };
  const [{ model, holes, descriptors }, ...otherModels] = holeModels(
    description,
    layout,
    memory,
    sections,
  );
  yield;
  const within = below(memory, zonesEnd);
  const devices = toPageFrames(derived.persistent, derived.pageSize, 'inward');
  yield;
  return {
    description,
    kernel,
    derived,
    pageSize,
    pagesPerSection,
    memory: within,
    devices,
    maxPfn: Math.min(maxPfn, zonesEnd),
    limits,
    layout,
    holes,
    memoryModel: model,
    descriptors,
    otherModels,
  };
}
