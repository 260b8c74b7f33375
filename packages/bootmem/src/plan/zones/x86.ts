/**
 * Zones of x86: 24-bit devices below 16 MiB, 32-bit devices below 4 GiB. 32-bit kernels map memory up to the end of
 * lowmem, the rest is HighMem.
 * @kernel zone_sizes_init
 */
import { parseSize } from '@bootmem/firmware-map';
import type { MachineDescription } from '@bootmem/firmware-map';
import { GIB_4, lowmemEnd, TO_THE_END } from './zone-rule.js';
import type { ZoneEnd, ZoneRule } from './zone-rule.js';

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
  highmemOf(description),
];

/**
 * `highmem=SIZE` ends HighMem so far above lowmem, which ends where the printed zones say it does when nothing else tells;
 * memblock keeps what lies beyond. @kernel highmem_pfn_init
 */
function highmemOf({ commandLine, printed }: MachineDescription): ZoneEnd {
  const [, text] = /(?:^|\s)highmem=(\S+)/.exec(commandLine?.text ?? '') ?? [];
  const size = text === undefined ? undefined : parseSize(text);
  const normal = printed.zoneRanges.find(({ zone }) => zone === 'Normal')?.range;
  const lowmem = printed.lowmem?.end ?? normal?.end;
  return size === undefined || lowmem === undefined
    ? { zone: 'HighMem', end: TO_THE_END }
    : { zone: 'HighMem', end: lowmem + size, cutsMemory: true };
}
