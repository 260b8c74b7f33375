/** Memory as /proc/iomem lists it. */
import type { ByteRange, IomemEntry, MachineDescription } from '../types/all.js';
import type { KindRange } from './final-map.js';
import type { Found } from './found.js';

/** Memory, what is never mapped, and devices' memory, from a running machine. */
export function fromIomem(description: MachineDescription): Found | undefined {
  const entries = description.proc.iomem ?? [];
  const usable = entries.filter(
    ({ name }) => name === 'System RAM' || name === 'System RAM (boot alias)',
  );
  if (usable.length === 0) return undefined;
  const top = usable.reduce((end, entry) => Math.max(end, entry.end), 0);
  const noMap = entries.filter(
    (entry) => isNoMap(description, entry) && isKnownMemory(description, entry, top),
  );
  const device: KindRange[] = [];
  for (const { start, end, name } of entries) {
    if (name.startsWith('Persistent Memory')) device.push({ start, end, kind: 'persistent' });
    else if (/^Soft Reserved$/i.test(name)) device.push({ start, end, kind: 'soft-reserved' });
  }
  return { usable, noMap, device, source: 'iomem' };
}

/**
 * Memory that the kernel knows and never maps stands in /proc/iomem as an entry of its own, beside `System RAM`; what
 * was merely in use stands inside. So on arm64 ("reserved") and riscv64 ("Reserved"), whose kernels list memblock there.
 */
function isNoMap({ architecture }: MachineDescription, { name, depth }: IomemEntry): boolean {
  const own = { arm64: 'reserved', riscv64: 'Reserved' }[architecture as string];
  return depth === 0 && name === own;
}

/**
 * riscv64 lists what is reserved where no memory is, too: the device tree's own place behind a limit of `mem=`. What memblock
 * kept tells it, else that it lies behind all memory.
 */
function isKnownMemory(
  { architecture, options, proc }: MachineDescription,
  entry: ByteRange,
  top: number,
): boolean {
  if (architecture !== 'riscv64') return true;
  const kept = proc.memblock?.memory ?? [];
  return kept.length > 0
    ? kept.some(({ start, end }) => start < entry.end && end > entry.start)
    : options.mem === undefined || entry.start < top;
}
