/**
 * What the kernel prints of its lists: the configuration of `memblock=debug`, and the debug file.
 */
import { MemFlags } from '../base/constants.js';
import { hexAddress, hexNumber, hexRange } from '../base/notation.js';
import type { RegionType } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { regions } from './walks.js';

/** The configuration as the kernel prints it, ended by a newline. */
export function dump(core: MemblockCore, physmem: boolean): string {
  const lines = [
    'MEMBLOCK configuration:',
    ` memory size = ${hexAddress(core.memory.total)} reserved size = ${hexAddress(core.reserved.total)}`,
    ...listLines(core, 'memory'),
    ...listLines(core, 'reserved'),
    ...(physmem ? listLines(core, 'physmem') : []),
  ];
  return `${lines.join('\n')}\n`;
}

function listLines(core: MemblockCore, type: RegionType): string[] {
  const { maxNodes, numa, profile } = core.settings;
  const there = regions(core, type);
  if (there.length === 0 && profile.emptyListHasEntry) {
    there.push({ base: 0, size: 0, flags: 0, nid: maxNodes });
  }
  return [
    ` ${type}.cnt  = ${hexNumber(there.length)}`,
    ...there.map(({ base, size, flags, nid }, index) => {
      const node = numa && nid >= 0 && nid < maxNodes ? ` on node ${nid}` : '';
      return ` ${type}[${hexNumber(index)}]\t${hexRange(base, size)}, ${hexAddress(size)} bytes${node} flags: ${hexNumber(flags)}`;
    }),
  ];
}

/** One list as the debug file shows it: index, range, node or `x`, flag names. */
export function debugFile(core: MemblockCore, type: RegionType): string {
  const { maxNodes, profile } = core.settings;
  const all = profile.debugFileFlags === 'all';
  return regions(core, type)
    .map(({ base, size, flags, nid }, index) => {
      const node = nid >= 0 && nid < maxNodes ? String(nid).padStart(4) : '   x';
      const range = `${hexAddress(base)}..${hexAddress(base + size - 1)}`;
      return `${String(index).padStart(4)}: ${range} ${node} ${flagNames(flags, all)}\n`;
    })
    .join('');
}

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [MemFlags.HOTPLUG, 'HOTPLUG'],
  [MemFlags.MIRROR, 'MIRROR'],
  [MemFlags.NOMAP, 'NOMAP'],
  [MemFlags.DRIVER_MANAGED, 'DRV_MNG'],
  [MemFlags.RSRV_NOINIT, 'RSV_NIT'],
  [MemFlags.RSRV_KERN, 'RSV_KERN'],
  [MemFlags.KHO_SCRATCH, 'KHO_SCRATCH'],
];

/**
 * Names of the bits set, `NONE` or `UNKNOWN`, as the debug file shows them.
 * @param all all of them joined by `|`, or the lowest only
 */
function flagNames(flags: number, all: boolean): string {
  if (flags === 0) return 'NONE';
  const shown = all ? flags : flags & -flags;
  const names: string[] = FLAG_NAMES.filter(([bit]) => (shown & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? 'UNKNOWN' : names.join('|');
}
