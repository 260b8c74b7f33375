/**
 * Zones of arm64, by release:
 *
 * ```
 *          to 5.4            5.5 … 5.10                from 5.11; 5.10.y too, which the border tells
 *  DMA     (older name of    30 bits                   what the most limited device reaches: device tree
 *          DMA32)                                      or IORT, which no log prints; 32 bits at most where
 *  DMA32   32 bits           32 bits                   memory begins below 4 GiB
 * ```
 * "32 bits" is counted from the highest multiple of 4 GiB below memory (30 bits: of 1 GiB) to 5.11, from 0 later;
 * then memory that begins above 4 GiB has no limit at all, and one that begins above what 30 bits reach has 4 GiB. From 6.12
 * on DMA32 ends at 4 GiB whatever there is: it is empty where memory begins above, and DMA may end anywhere.
 *
 * Machines are told by the model that their device tree names: only those whose tree is public and one for all.
 * @kernel max_zone_phys, zone_sizes_init, of_dma_get_max_cpu_address
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { GIB_4, NORMAL, TO_THE_END } from './zone-rule.js';
import type { ZoneEnd, ZoneRule } from './zone-rule.js';

/** 4 GiB and 1 GiB kernels: address bits. */
const DMA_BITS = 30;
const DMA32_BITS = 32;

/**
 * Address bits of the most limited device by model; QEMU's board has no `dma-ranges` in its tree, and 64 bits in its IORT
 * where it has ACPI, so its devices reach everything.
 */
const DEVICE_BITS: readonly (readonly [RegExp, number])[] = [
  [/^linux,dummy-virt$/, 64],
  [/^QEMU (?:QEMU|KVM) Virtual Machine\b/, 64],
  [/^Raspberry Pi (?:4|400|Compute Module 4)\b/, 30],
];

function reach(bits: number, memoryStart: number, fromZero: boolean): number {
  const size = 2 ** bits;
  if (!fromZero) return Math.floor(memoryStart / size) * size + size;
  if (memoryStart >= GIB_4) return TO_THE_END;
  return memoryStart >= size ? GIB_4 : size;
}

/** What the most limited device reaches. */
function devicesReach({ machine }: MachineDescription, memoryStart: number): ZoneEnd {
  const bits = DEVICE_BITS.find(([model]) => model.test(machine ?? ''))?.[1];
  // Where limits of a few bits meet memory above 4 GiB, releases differ.
  return bits === undefined || (bits < DMA32_BITS && memoryStart >= GIB_4)
    ? { zone: 'DMA', why: 'the DMA boundary depends on device tables that are not printed' }
    : { zone: 'DMA', end: reach(Math.min(bits, DMA32_BITS), memoryStart, true) };
}

/** 64-bit ARM. */
export const arm64: ZoneRule = ({ description, memoryStart, memoryEnd, printed }) => {
  const { arm64Dma, arm64DmaFromZero, arm64Dma32Fixed } = printed;
  const dma32 = arm64Dma32Fixed ? GIB_4 : reach(DMA32_BITS, memoryStart, arm64DmaFromZero);
  const near: ZoneEnd = { zone: 'DMA', end: reach(DMA_BITS, memoryStart, arm64DmaFromZero) };
  const devices = devicesReach(description, memoryStart);
  const border = description.printed.zoneRanges.find(({ zone }) => zone === 'DMA')?.range?.end;
  const isNear = border === undefined || border === Math.min(near.end, memoryEnd);
  const dma: Record<typeof arm64Dma, ZoneEnd> = {
    'dma32-by-name': { zone: 'DMA', end: dma32 },
    '30-bits': near,
    either: isNear ? near : devices,
    devices,
  };
  return [dma[arm64Dma], { zone: 'DMA32', end: dma32 }, NORMAL];
};
