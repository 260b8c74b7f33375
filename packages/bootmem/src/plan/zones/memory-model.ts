/**
 * Which stretches of page descriptors a kernel has: SPARSEMEM keeps them section by section, FLATMEM in one array from
 * the first page of memory to the last.
 *
 * ```
 *            |  section  |  section  |  section  |
 *  memory      [======]                 [====]
 *  SPARSEMEM |u|      |uu|           |uu|    |uuu|     holes in sections with memory
 *  FLATMEM     [      |uuuuuuuuuuuuuuuuu|    ]         every hole between the ends
 *  blocks     |u|     |u|            |u|     |u|       32-bit ARM from 5.14: holes in pageblocks with memory
 * ```
 * x86-64, arm64, ppc64, s390x and loongarch64 kernels are SPARSEMEM; elsewhere it is a choice of the build that no log
 * names, and on i386 sections are of 64 MiB, or of 512 MiB with wide page tables. There all are tried against the printed
 * holes, and the first one that fits stands.
 */
import { unavailableHoles } from '@bootmem/buddy-allocator/zones';
import type { UnavailableHole, ZoneLayout } from '@bootmem/buddy-allocator/zones';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { Architecture } from '@bootmem/firmware-map/types';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { PrintedProfile } from '../releases.js';
import { behindZones, flatArray, pagesWithoutMemory, zoneSums } from './descriptor-map.js';
import type { DescriptorMap } from './descriptor-map.js';

/** How descriptors are kept. */
export type MemoryModel = 'sparsemem' | 'flatmem';

/** Descriptors of holes, and the model they follow from. */
export interface HoleModel {
  readonly model: MemoryModel;
  readonly holes: readonly UnavailableHole[];
  /** Where descriptors are. */
  readonly descriptors: DescriptorMap;
}

const SPARSE_ONLY: ReadonlySet<Architecture> = new Set([
  'x86_64',
  'arm64',
  'ppc64',
  's390x',
  'loongarch64',
  'sparc64',
]);

/** Bytes of a section where one size fits all releases. */
const SECTION_BYTES: Readonly<Partial<Record<Architecture, number>>> = {
  ppc64: 2 ** 24,
  mips: 2 ** 28,
  arm: 2 ** 28,
  loongarch64: 2 ** 29,
  sparc64: 2 ** 30,
  ia64: 2 ** 30,
  i386: 2 ** 26,
};

/** Other sizes that builds of an architecture have: i386 with wide page tables. */
const OTHER_SECTIONS: Readonly<Partial<Record<Architecture, number>>> = { i386: 2 ** 29 };

/** Bytes of a section on mips with pages of 64 KiB. */
const MIPS_SECTION_64K = 2 ** 29;

/** Pages of the pageblocks of 32-bit kernels: without huge pages or with those of 4 MiB, with those of 2 MiB. */
const BLOCKS = [1024, 512];

/**
 * Pages of one section of a machine.
 * @param description  the machine
 * @param printed      what its kernel's release does
 * @param pageSize     bytes of a page
 * @returns 32768 with 4 KiB pages on x86-64; older arm64 has sections of 1 GiB, s390x of 256 MiB
 */
export function sectionPages(
  { architecture }: MachineDescription,
  printed: PrintedProfile,
  pageSize: number,
): number {
  if (architecture === 'arm64') {
    const { small, pages64K } = printed.arm64SectionBytes;
    return (pageSize === 65536 ? pages64K : small) / pageSize;
  }
  if (architecture === 'mips' && pageSize === 65536) return MIPS_SECTION_64K / pageSize;
  if (architecture === 's390x') return printed.s390SectionBytes / pageSize;
  const bytes = architecture === undefined ? undefined : SECTION_BYTES[architecture];
  return (bytes ?? 2 ** 27) / pageSize;
}

/**
 * Chooses the model by the printed holes.
 * @param description  the machine
 * @param layout       its zones
 * @param memory       what they were made from, and what no zone has
 * @param sections     pages of a section, from {@link sectionPages}, and bytes of a page
 * @returns SPARSEMEM with sections of that size unless only another one gives what was printed; behind it the others that
 *   may be meant, where lines are lost
 */
export function holeModels(
  description: MachineDescription,
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
  sections: { readonly pagesPerSection: number; readonly pageSize: number },
): readonly [HoleModel, ...HoleModel[]] {
  const { architecture, printed } = description;
  const sparse: DescriptorMap = { grain: sections.pagesPerSection, hasTail: true };
  const isOpen = architecture === undefined || !SPARSE_ONLY.has(architecture);
  const more = isOpen ? others(architecture, layout, sections) : [];
  // 32-bit kernels of MIPS have no sections, though a hole in memory may be as long as what lies behind the zones.
  const isCut = printed.unavailable.length > 0 && behindZones(sparse, layout, memory) !== undefined;
  const maps = isCut ? [...more, sparse] : [sparse, ...more];
  const models = maps.map((map) => modelOf(map, layout, memory));
  // Lines that were not printed contradict none.
  const lineUps =
    printed.unavailable.length === 0
      ? maps.map(() => 'some' as const)
      : models.map((one) => lineUp(description, one, layout, memory));
  // Where lines of the log are lost, the model that has all the others stands; where all are, SPARSEMEM.
  const told =
    printed.unavailable.length > 0 ? [lineUps.indexOf('all'), lineUps.indexOf('some')] : [];
  const at = told.find((index) => index >= 0) ?? maps.indexOf(sparse);
  const rest = models.filter((_, index) => index !== at && lineUps[index] !== 'not');
  return [models[at]!, ...rest];
}

/**
 * The holes of a model that is given, whatever was printed.
 * @param model     which
 * @param architecture  decides where FLATMEM's array begins
 * @param layout    zones
 * @param memory    what they were made from, and what no zone has
 * @param pagesPerSection  from {@link sectionPages}
 */
export function holesOfModel(
  model: MemoryModel,
  architecture: Architecture | undefined,
  layout: ZoneLayout,
  {
    memory,
    pagesPerSection,
  }: { readonly memory: readonly MemoryPfnRange[]; readonly pagesPerSection: number },
): HoleModel {
  const array = flatArray(layout, architecture === 'i386');
  const map: DescriptorMap =
    model === 'flatmem'
      ? { grain: BLOCKS[0]!, hasTail: false, array }
      : { grain: pagesPerSection, hasTail: true };
  return { model, holes: holesOf(map, layout, memory), descriptors: map };
}

/** A model; its holes are worked out when they are first looked at. */
function modelOf(
  descriptors: DescriptorMap,
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
): HoleModel {
  let holes: readonly UnavailableHole[] | undefined;
  return {
    model: descriptors.array === undefined ? 'sparsemem' : 'flatmem',
    get holes() {
      return (holes ??= holesOf(descriptors, layout, memory));
    },
    descriptors,
  };
}

function others(
  architecture: Architecture | undefined,
  layout: ZoneLayout,
  { pageSize }: { readonly pageSize: number },
): DescriptorMap[] {
  const bytes = architecture === undefined ? undefined : OTHER_SECTIONS[architecture];
  const array = flatArray(layout, architecture === 'i386');
  const maps: DescriptorMap[] = [];
  if (bytes !== undefined) maps.push({ grain: bytes / pageSize, hasTail: true });
  for (const grain of BLOCKS) maps.push({ grain, hasTail: false, array });
  if (architecture === 'arm') {
    for (const grain of BLOCKS) maps.push({ grain, hasTail: true }, { grain, hasTail: false });
  }
  return maps;
}

/** Whether the printed lines are all holes of a model, some of them in their order, or others. O(lines + holes). */
function lineUp(
  { printed }: MachineDescription,
  model: HoleModel,
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
): 'all' | 'some' | 'not' {
  const [first] = printed.unavailable;
  if (first?.counts === 'reserved') return 'not';
  if (first !== undefined && first.nid === undefined && first.zone === undefined) {
    return first.pages === pagesWithoutMemory(model.descriptors, memory) ? 'all' : 'not';
  }
  const expected =
    first?.counts === 'zone' ? zoneSums(model.descriptors, layout, memory) : model.holes;
  let at = 0;
  for (const one of expected) {
    const line = printed.unavailable[at];
    if (line === undefined) break;
    const isNode = line.nid === undefined || line.nid === one.nid;
    if (isNode && line.zone === one.zone && line.pages === one.pages) at++;
  }
  if (at < printed.unavailable.length) return 'not';
  return at === expected.length ? 'all' : 'some';
}

/** Holes with descriptors, one for each line of the newer form. */
function holesOf(
  map: DescriptorMap,
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
): UnavailableHole[] {
  const { array } = map;
  const end = array?.endPfn ?? memory.at(-1)?.endPfn ?? 0;
  // One section around everything: its holes are those of the array, and what lies before and behind it.
  const grain = array === undefined ? map.grain : 2 ** Math.ceil(Math.log2(Math.max(end, 2)));
  const holes = unavailableHoles(layout, memory, grain).filter(({ ranges }) => {
    const { startPfn } = ranges[0]!;
    return (map.hasTail || startPfn < end) && (array === undefined || startPfn >= array.startPfn);
  });
  const rest = behindZones(map, layout, memory);
  if (rest === undefined) return holes;
  const within = holes.filter(({ ranges }) => ranges[0]!.startPfn < rest.startPfn);
  const { nid, zone, zoneIndex } = rest.zone;
  const ranges = rest.ranges.map((range) => ({ nid, zone, zoneIndex, ...range }));
  const pages = ranges.reduce((sum, range) => sum + range.endPfn - range.startPfn, 0);
  return pages === 0 ? within : [...within, { nid, zone, pages, ranges }];
}
