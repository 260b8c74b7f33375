/** Where today's kernel lies, and its move to another place: what KASLR does at each boot. */
import type { MemblockDump, MemblockOperation } from '@bootmem/firmware-map/types';
import type { ByteSpan } from '../explain-result.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { KERNEL_BASE } from '../plan/reservations.js';

/**
 * The image with what the kernel sets aside right behind it before it asks memblock for anything.
 * @returns `undefined` where the log does not show it
 */
export function imageOf({ description }: LayoutPlan): ByteSpan | undefined {
  const { proc, memblock } = description;
  const code = (proc.iomem ?? []).find(({ name, start }) => name === 'Kernel code' && start > 0);
  const at = code?.start ?? KERNEL_BASE;
  const dump = memblock.dumps.find(({ complete }) => complete);
  const region = dump?.reserved.find(({ start, end }) => start <= at && at < end);
  if (dump !== undefined && region !== undefined) {
    return withAllOf(withTail(region, memblock.operations), dump);
  }
  const parts = (proc.iomem ?? []).filter(
    ({ name, start }) => name.startsWith('Kernel ') && start > 0,
  );
  const end = parts.reduce((high, part) => Math.max(high, part.end), 0);
  return code === undefined ? undefined : { start: code.start, end };
}

/** Reservations that continue it are its own: the part for tables that are needed before memory is mapped. */
function withTail(region: ByteSpan, operations: readonly MemblockOperation[]): ByteSpan {
  let { end } = region;
  for (const [index, one] of operations.entries()) {
    const isAnswer = operations[index - 1]?.op === 'alloc';
    if (one.op === 'reserve' && one.start === end && !isAnswer) end = one.end;
  }
  return { start: region.start, end };
}

/** What begins in it goes with it, so that is where it ends. */
function withAllOf({ start, end }: ByteSpan, { reserved }: MemblockDump): ByteSpan {
  let last = end;
  for (const one of reserved)
    if (one.start >= start && one.start < last) last = Math.max(last, one.end);
  return { start, end: last };
}

/** What was there before the image: it is never put over any of that. Ascending, apart. */
export function besideImage({ description }: LayoutPlan, image: ByteSpan): readonly ByteSpan[] {
  const dump = description.memblock.dumps.find(({ complete }) => complete);
  return (dump?.reserved ?? []).filter(({ start }) => start < image.start || start >= image.end);
}

/** A move of the image: what lies in it goes with it. */
export class ImageMove {
  /** Where it lies today. */
  readonly image: ByteSpan;
  /** Bytes, up or down. */
  readonly by: number;

  constructor(image: ByteSpan, by: number) {
    this.image = image;
    this.by = by;
  }

  /** A range, moved where it is part of the image. */
  of<R extends ByteSpan>(range: R): R {
    const { start, end } = this.image;
    const isPart = range.start >= start && range.start < end;
    return isPart ? { ...range, start: range.start + this.by, end: range.end + this.by } : range;
  }

  /** The first dump with the image elsewhere. */
  dump(dump: MemblockDump): MemblockDump {
    const reserved = dump.reserved.map((region) => this.of(region));
    return { ...dump, reserved: reserved.sort((a, b) => a.start - b.start) };
  }
}
