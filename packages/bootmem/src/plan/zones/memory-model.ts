/**
 * Which stretches of page descriptors a kernel has: SPARSEMEM keeps them section by section, FLATMEM in one array from
 * the first page of memory to the last.
 *
 * ```
 *            |  section  |  section  |  section  |
 *  memory      [======]                 [====]
 *  SPARSEMEM |u|      |uu|           |uu|    |uuu|     holes in sections with memory
 *  FLATMEM     [      |uuuuuuuuuuuuuuuuu|    ]         every hole between the ends
 * ```
 * x86-64, arm64, ppc64, s390x and loongarch64 kernels are SPARSEMEM; elsewhere it is a choice of the build that no log
 * names. There both models are tried against the printed holes, and the one that fits stands.
 */
import { unavailableHoles } from '@bootmem/buddy-allocator/zones';
import type { UnavailableHole, ZoneLayout } from '@bootmem/buddy-allocator/zones';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { Architecture } from '@bootmem/firmware-map/types';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { PrintedProfile } from '../releases.js';

/** How descriptors are kept. */
export type MemoryModel = 'sparsemem' | 'flatmem';

/** Descriptors of holes, and the model they follow from. */
export interface HoleModel {
  readonly model: MemoryModel;
  readonly holes: readonly UnavailableHole[];
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
};

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
  if (architecture === 's390x') return printed.s390SectionBytes / pageSize;
  const bytes = architecture === undefined ? undefined : SECTION_BYTES[architecture];
  return (bytes ?? 2 ** 27) / pageSize;
}

/**
 * Chooses the model by the printed holes.
 * @param description      the machine
 * @param layout           its zones
 * @param memory           what they were made from
 * @param pagesPerSection  from {@link sectionPages}
 * @returns SPARSEMEM unless only FLATMEM gives what was printed
 */
export function holeModel(
  description: MachineDescription,
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
  pagesPerSection: number,
): HoleModel {
  const sparse = unavailableHoles(layout, memory, pagesPerSection);
  const { architecture, printed } = description;
  const isOpen = architecture === undefined || !SPARSE_ONLY.has(architecture);
  if (isOpen && printed.unavailable.length > 0 && !fits(description, sparse)) {
    const flat = flatHoles(layout, memory, architecture === 'i386');
    if (fits(description, flat)) return { model: 'flatmem', holes: flat };
  }
  return { model: 'sparsemem', holes: sparse };
}

function fits({ printed }: MachineDescription, holes: readonly UnavailableHole[]): boolean {
  return (
    printed.unavailable.length === holes.length &&
    printed.unavailable.every((line, index) => {
      const hole = holes[index]!;
      return line.nid === hole.nid && line.zone === hole.zone && line.pages === hole.pages;
    })
  );
}

/**
 * Holes of one array. It begins at address 0 on i386, elsewhere with memory; it ends with the last page.
 */
function flatHoles(
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
  fromZero: boolean,
): UnavailableHole[] {
  const first = memory[0]?.startPfn ?? 0;
  const end = memory.at(-1)?.endPfn ?? 0;
  // One section around everything: its holes are those of the array, and what lies before and behind it.
  const whole = 2 ** Math.ceil(Math.log2(Math.max(end, 2)));
  return unavailableHoles(layout, memory, whole).filter(
    ({ ranges }) =>
      ranges[0]!.startPfn < end && (fromZero || first === 0 || ranges[0]!.startPfn >= first),
  );
}
