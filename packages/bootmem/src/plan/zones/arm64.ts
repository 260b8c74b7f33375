/**
 * Zones of arm64, by release:
 *
 * ```
 *          to 5.4            5.5 … 5.10                from 5.11
 *  DMA     (older name of    30 bits                   what the most limited device reaches: device tree
 *          DMA32)                                      or IORT, which no log prints; at most DMA32's end
 *  DMA32   32 bits           32 bits                   32 bits
 * ```
 * "32 bits" is counted from the highest multiple of 4 GiB below memory (30 bits: of 1 GiB) to 5.11, from 0 later;
 * then memory that begins above 4 GiB has no limit at all, and one that begins above what 30 bits reach has 4 GiB.
 * @kernel max_zone_phys, zone_sizes_init
 */
import { GIB_4, NORMAL, TO_THE_END } from './zone-rule.js';
import type { ZoneEnd, ZoneRule } from './zone-rule.js';

/** 4 GiB and 1 GiB kernels: address bits. */
const DMA_BITS = 30;
const DMA32_BITS = 32;

function reach(bits: number, memoryStart: number, fromZero: boolean): number {
  const size = 2 ** bits;
  if (!fromZero) return Math.floor(memoryStart / size) * size + size;
  if (memoryStart >= GIB_4) return TO_THE_END;
  return memoryStart >= size ? GIB_4 : size;
}

/** 64-bit ARM. */
export const arm64: ZoneRule = ({ memoryStart, printed: { arm64Dma, arm64DmaFromZero } }) => {
  const dma32 = reach(DMA32_BITS, memoryStart, arm64DmaFromZero);
  const dma: Record<typeof arm64Dma, ZoneEnd> = {
    'dma32-by-name': { zone: 'DMA', end: dma32 },
    '30-bits': { zone: 'DMA', end: reach(DMA_BITS, memoryStart, arm64DmaFromZero) },
    devices: {
      zone: 'DMA',
      why: 'the DMA boundary depends on device tables that are not printed',
    },
  };
  return [dma[arm64Dma], { zone: 'DMA32', end: dma32 }, NORMAL];
};
