/** Shared set-ups of the tests. */
import { Memblock, type MemblockOptions, type MemRegion } from '@bootmem/memblock';

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** Physical memory of the upstream suite's size: 32 KiB at 16 MiB. */
export const START = 16 * MIB;
export const SIZE = 32 * KIB;

/** One region of 32 KiB and nothing taken. */
export function oneRegion(options: MemblockOptions = {}): Memblock {
  const memblock = new Memblock(options);
  memblock.add(START, SIZE);
  return memblock;
}

/** `base-end` of every region, in hexadecimal. */
export function spans(regions: readonly MemRegion[]): string[] {
  return regions.map(({ base, size }) => `${base.toString(16)}-${(base + size).toString(16)}`);
}

/** Code of the error that `work` throws; undefined when it throws none. */
export function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code ?? 'other';
  }
  return undefined;
}

/** Takes everything that is left, checks that it was all there was, and gives it back. */
export function expectAllFree(memblock: Memblock): void {
  memblock.verify();
  let free = 0;
  memblock.forEachFreeRange((start, end) => {
    free += end - start;
  });
  const rest = memblock.physMemSize - free;
  if (rest !== 0) throw new Error(`${rest} bytes of memory are not free`);
}
