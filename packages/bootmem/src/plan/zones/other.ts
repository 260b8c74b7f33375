/**
 * Zones of the architectures whose rules fit on a line or two.
 */
import { GIB_4, lowmemEnd, NORMAL, TO_THE_END } from './zone-rule.js';
import type { ZoneRule } from './zone-rule.js';

const HIGHMEM = { zone: 'HighMem', end: TO_THE_END } as const;

/** Addresses of 31 bits are what old channel programs reach. */
export const s390x: ZoneRule = () => [{ zone: 'DMA', end: 2 ** 31 }, NORMAL];

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

/** 32-bit devices below 4 GiB. */
export const loongarch64: ZoneRule = () => [
  { zone: 'DMA', why: 'the DMA boundary depends on the build' },
  { zone: 'DMA32', end: GIB_4 },
  NORMAL,
];

/** 32-bit devices below 4 GiB; HighMem above what the direct segments reach. */
export const mips: ZoneRule = ({ description }) => {
  const hasHighmem = description.printed.zoneRanges.some(({ zone }) => zone === 'HighMem');
  return [
    { zone: 'DMA', why: 'the DMA boundary depends on the board' },
    { zone: 'DMA32', end: GIB_4 },
    ...(hasHighmem ? [lowmemEnd('the board'), HIGHMEM] : [NORMAL]),
  ];
};

/** 32-bit ARM, PowerPC, SuperH: a DMA zone where a board asks for one, lowmem, HighMem above it. */
export const board32: ZoneRule = () => [
  { zone: 'DMA', why: 'the DMA boundary depends on the board' },
  lowmemEnd('the vmalloc area and the board'),
  HIGHMEM,
];

/** A machine that gives no sign of its architecture: nobody's limits. */
export const unknown: ZoneRule = () =>
  (['DMA', 'DMA32', 'Normal', 'HighMem'] as const).map((zone) => ({
    zone,
    why: 'the architecture does not show in the input, so neither do its zone limits',
  }));
