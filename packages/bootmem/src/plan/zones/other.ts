/**
 * Zones of the architectures whose rules fit on a line or two.
 */
import { GIB_4, lowmemEnd, NORMAL, TO_THE_END } from './zone-rule.js';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ZoneEnd, ZoneRule } from './zone-rule.js';

const HIGHMEM = { zone: 'HighMem', end: TO_THE_END } as const;

/** Addresses of 31 bits are what old channel programs reach; all of them are printed, with memory or without. */
export const s390x: ZoneRule = () => [{ zone: 'DMA', end: 2 ** 31, whole: true }, NORMAL];

/**
 * 32-bit devices below 4 GiB. A kernel that lets Normal begin lower has a limit of its own, which its log shows and
 * nothing explains.
 */
export const riscv64: ZoneRule = ({ description }) => {
  const { zoneRanges } = description.printed;
  const own = zoneRanges.find(({ zone }) => zone === 'Normal')?.range?.start ?? GIB_4;
  const dma32 = zoneRanges.find(({ zone }) => zone === 'DMA32')?.range;
  return dma32?.end === own && own < GIB_4
    ? [{ zone: 'DMA32', why: 'this kernel has a DMA32 limit of its own, below 4 GiB' }, NORMAL]
    : [{ zone: 'DMA32', end: GIB_4 }, NORMAL];
};

/** Since 5.0 everything is Normal on machines with an IOMMU for all; before, everything was DMA. */
export const ppc64: ZoneRule = () => [
  { zone: 'DMA', why: 'the DMA boundary depends on the platform' },
  NORMAL,
];

/** 32-bit devices below 4 GiB, all of which are printed. */
export const loongarch64: ZoneRule = () => [
  { zone: 'DMA', why: 'the DMA boundary depends on the build' },
  { zone: 'DMA32', end: GIB_4, whole: true },
  NORMAL,
];

/** Old devices reach 16 MiB; SGI's boards have a larger window. @kernel MAX_DMA_ADDRESS */
const MIPS_ISA_END = 2 ** 24;

/** What the direct segments of 32-bit kernels reach. @kernel HIGHMEM_START */
const MIPS_LOWMEM_END = 2 ** 29;

/**
 * 32-bit devices below 4 GiB, all of which are printed; HighMem above what the direct segments reach. A 32-bit kernel
 * without HighMem leaves memory above that to memblock alone; its Normal ends there, whether or not memory reaches up to it.
 * @kernel bootmem_init
 */
export const mips: ZoneRule = ({ description, memoryEnd }) => {
  const { zoneRanges } = description.printed;
  const has = (name: string): boolean => zoneRanges.some(({ zone }) => zone === name);
  const normal = zoneRanges.find(({ zone }) => zone === 'Normal')?.range;
  const dma = zoneRanges.find(({ zone }) => zone === 'DMA')?.range ?? { end: 0 };
  const isCut =
    !has('HighMem') && !has('DMA32') && normal?.end === MIPS_LOWMEM_END && memoryEnd > normal.end;
  return [
    dma.end > MIPS_ISA_END
      ? { zone: 'DMA', why: 'the DMA boundary depends on the board' }
      : { zone: 'DMA', end: MIPS_ISA_END },
    { zone: 'DMA32', end: GIB_4, whole: true },
    ...(has('HighMem')
      ? [lowmemEnd(description, 'the board'), HIGHMEM]
      : [isCut ? { ...NORMAL, end: MIPS_LOWMEM_END, cutsMemory: true as const } : NORMAL]),
  ];
};

/** Where Normal is empty, all of lowmem is DMA. */
function dmaOfBoard({ printed }: MachineDescription): ZoneEnd {
  const isLowmem = printed.zoneRanges.some(
    ({ zone, range }) => zone === 'Normal' && range === undefined,
  );
  return printed.lowmem !== undefined && isLowmem
    ? { zone: 'DMA', end: printed.lowmem.end }
    : { zone: 'DMA', why: 'the DMA boundary depends on the board' };
}

/**
 * 32-bit ARM, PowerPC, SuperH, SPARC, MicroBlaze, Xtensa, ARC: a DMA zone where a board asks for one, lowmem, HighMem
 * above it.
 */
export const board32: ZoneRule = ({ description }) => [
  dmaOfBoard(description),
  lowmemEnd(description, 'the vmalloc area and the board'),
  HIGHMEM,
];

/** All memory in one zone: sparc64, OpenRISC, 32-bit RISC-V. */
export const oneZone: ZoneRule = () => [NORMAL];

/** 32-bit devices below 4 GiB, in a zone that was called DMA to 4.19. */
export const ia64: ZoneRule = () => [
  { zone: 'DMA', end: GIB_4 },
  { zone: 'DMA32', end: GIB_4 },
  NORMAL,
];

/** What the machine's bridges reach is DMA. */
export const alpha: ZoneRule = () => [
  { zone: 'DMA', why: 'the DMA boundary depends on the machine' },
  NORMAL,
];

/** PA-RISC and 68k print the end of their one zone in bytes where pages are meant, and not in all releases. */
export const inBytes: ZoneRule = () => {
  const outer =
    'kernels of this architecture do not print where memory ends, but a number of their own';
  return [
    { zone: 'DMA', end: TO_THE_END, outer },
    { ...NORMAL, outer },
  ];
};

/** A kernel in a process: physical addresses count from where its image lies, which is not printed. */
export const um: ZoneRule = () => [
  {
    ...NORMAL,
    outer: 'the end is counted from where the image lies in its process, which is not printed',
  },
];

/** A machine that gives no sign of its architecture: nobody's limits. */
export const unknown: ZoneRule = () => {
  const why = 'the architecture does not show in the input, so neither do its zone limits';
  return (['DMA', 'DMA32', 'Normal', 'HighMem'] as const).map((zone) => ({
    zone,
    why,
    outer: why,
  }));
};
