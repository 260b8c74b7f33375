/**
 * Zones of x86: 24-bit devices below 16 MiB, 32-bit devices below 4 GiB. 32-bit kernels map memory up to the end of
 * lowmem, the rest is HighMem.
 * @kernel zone_sizes_init
 */
import { GIB_4, lowmemEnd, TO_THE_END } from './zone-rule.js';
import type { ZoneRule } from './zone-rule.js';

const ISA_END = 2 ** 24;

/** 64-bit kernels. */
export const x86_64: ZoneRule = ({ printed: { dma32End } }) => [
  { zone: 'DMA', end: ISA_END },
  { zone: 'DMA32', end: GIB_4, always: true, ...(dma32End === 'whole' ? { whole: true } : {}) },
  { zone: 'Normal', end: TO_THE_END, always: true },
];

/** 32-bit kernels. */
export const i386: ZoneRule = ({ description }) => [
  { zone: 'DMA', end: ISA_END },
  lowmemEnd(description, 'the vmalloc area'),
  { zone: 'HighMem', end: TO_THE_END },
];
