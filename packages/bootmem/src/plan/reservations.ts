/**
 * What was in use when the allocator took over, for logs without `memblock=debug`: everything that the log
 * names, and two things that every kernel reserves but few logs place (its own image, descriptors).
 *
 * With `memblock=debug` none of this is used: the recorded operations give the exact state.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { LayoutPlan } from './layout-plan.js';

/** A reserved stretch, bytes, and why. */
export interface Reservation {
  readonly start: number;
  readonly end: number;
  readonly why: string;
  /** True when size or place is our assumption. */
  readonly assumed: boolean;
}

/** Where an x86-64 kernel without address randomisation lies, bytes. */
export const KERNEL_BASE = 0x1000000;
const MIB = 2 ** 20;
/** Bytes of one of Linux's page descriptors. */
export const LINUX_DESCRIPTOR = 64;

/**
 * Reservations that a log names or implies.
 * @param plan  a planned machine
 * @returns in no order; may overlap
 */
export function knownReservations(plan: LayoutPlan): Reservation[] {
  const { description } = plan;
  const { printed, numa } = description;
  const list: Reservation[] = [];
  const add = (start: number, end: number, why: string, assumed = false): void => {
    if (end > start) list.push({ start, end, why, assumed });
  };
  if (description.architecture === 'x86_64' || description.architecture === 'i386') {
    add(0, MIB, 'low 1 MiB');
  }
  if (printed.ramdisk !== undefined) add(printed.ramdisk.start, printed.ramdisk.end, 'initrd');
  for (const one of printed.crashkernel) add(one.start, one.end, 'crash kernel');
  for (const table of printed.acpiTables) add(table.start, table.end, `ACPI ${table.table}`);
  for (const one of description.firmware.deviceTree ?? []) {
    if (!one.noMap && !one.reusable) add(one.start, one.end, `device tree ${one.name}`);
  }
  for (const data of numa.nodeData) add(data.start, data.end, `node ${data.nid} data`);
  const image = imageRange(plan, description);
  if (image !== undefined) add(image.start, image.end, 'kernel image', true);
  for (const range of descriptorRanges(plan, list)) add(range.start, range.end, range.why, true);
  return list;
}

/** The image: size from the `Memory:` line's parts, else 32 MiB; place from iomem, else the usual one. */
function imageRange(
  plan: LayoutPlan,
  description: MachineDescription,
): { start: number; end: number } | undefined {
  const iomem = (description.proc.iomem ?? []).filter((entry) => entry.name.startsWith('Kernel '));
  if (iomem.length > 0 && iomem.some((entry) => entry.start > 0)) {
    return {
      start: Math.min(...iomem.map((entry) => entry.start)),
      end: Math.max(...iomem.map((entry) => entry.end)),
    };
  }
  const parts = description.printed.memory?.partsKb ?? {};
  const kb = ['kernel code', 'rwdata', 'rodata', 'data', 'init', 'bss'].reduce(
    (sum, name) => sum + (parts[name] ?? 0),
    0,
  );
  const size = kb > 0 ? kb * 1024 : 32 * MIB;
  const { memory } = plan.derived;
  const home = memory.find(({ start, end }) => start <= KERNEL_BASE && end >= KERNEL_BASE + size);
  if (home !== undefined) return { start: KERNEL_BASE, end: KERNEL_BASE + size };
  const first = memory.find(({ start, end }) => end - start > 2 * size);
  return first === undefined ? undefined : { start: first.start, end: first.start + size };
}

/** Linux's own descriptors: 64 bytes a page, taken from the top of each node. */
function descriptorRanges(
  plan: LayoutPlan,
  taken: readonly Reservation[],
): { start: number; end: number; why: string }[] {
  const ranges: { start: number; end: number; why: string }[] = [];
  for (const node of plan.layout.nodes) {
    let left = Math.ceil((node.presentPages * LINUX_DESCRIPTOR) / plan.pageSize) * plan.pageSize;
    const own = plan.derived.memory.filter((range) => range.nid === node.nid).reverse();
    for (const { start: floor, end: top } of own) {
      if (left <= 0) break;
      let end = top;
      // Below what is already taken at the top of the range, as a top-down search would find it.
      for (const other of [...taken].sort((a, b) => b.end - a.end)) {
        if (other.start < end && other.end >= end) end = Math.max(floor, other.start);
      }
      end = Math.floor(end / plan.pageSize) * plan.pageSize;
      const start = Math.max(floor, end - left);
      if (start < end) ranges.push({ start, end, why: `descriptors of node ${node.nid}` });
      left -= end - start;
    }
  }
  return ranges;
}
