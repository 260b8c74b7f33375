/**
 * A printed configuration against an object: sizes, counts and every region.
 */
import { NO_NODE } from '../base/constants.js';
import { plainHex } from '../base/notation.js';
import type { MemRegion } from '../base/types.js';
import type { Memblock } from '../memblock.js';
import type { MemblockDump } from './read-dump.js';

/** What differs, one text each; empty when all is equal. A node that is not valid counts as none. */
export function compareDump(printed: MemblockDump, memblock: Memblock): string[] {
  const differences: string[] = [];
  if (printed.memorySize !== memblock.physMemSize) {
    differences.push(
      `memory size: ${plainHex(printed.memorySize)}, ours ${plainHex(memblock.physMemSize)}`,
    );
  }
  if (printed.reservedSize !== memblock.reservedSize) {
    differences.push(
      `reserved size: ${plainHex(printed.reservedSize)}, ours ${plainHex(memblock.reservedSize)}`,
    );
  }
  const { maxNodes } = memblock.settings;
  for (const type of ['memory', 'reserved'] as const) {
    const theirs = printed[type];
    const ours = memblock.regions(type);
    for (let k = 0; k < Math.max(theirs.length, ours.length); k++) {
      const left = show(theirs[k], maxNodes);
      const right = show(ours[k], maxNodes);
      if (left !== right) differences.push(`${type}[${k}]: ${left}, ours ${right}`);
    }
  }
  return differences;
}

function show(region: MemRegion | undefined, maxNodes: number): string {
  if (region === undefined) return 'none';
  const { base, size, flags, nid } = region;
  const node = nid >= 0 && nid < maxNodes ? nid : NO_NODE;
  return `[${plainHex(base)}, +${plainHex(size)}) nid ${node} flags ${plainHex(flags)}`;
}
