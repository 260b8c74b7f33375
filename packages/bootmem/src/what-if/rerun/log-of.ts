/** The part of a log that is done again. */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MemblockDump, MemblockOperation } from '@bootmem/firmware-map/types';

/** Operations of a log from its first dump to the hand-over. */
export function logOf(
  { memblock, printed }: MachineDescription,
  first: MemblockDump,
): MemblockOperation[] {
  const end = printed.memory?.line ?? Infinity;
  return memblock.operations.filter(
    ({ line, op }) => line > first.line && line < end && op !== 'free-late',
  );
}
