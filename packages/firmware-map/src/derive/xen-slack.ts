/**
 * Classic Xen kernels (xenlinux, not the later paravirt ones) make their own map when the hypervisor has none
 * for them: one entry from 0, 8 MiB longer than the memory they were given.
 *
 *     Xen: 0000000000000000 - 000000002f800000 (usable)     the map: given + 8 MiB
 *     0: 0x00000000 -> 0x0002f000                           what is memory
 *
 * The slack is room for a backend's pages, which are moved in later; page numbers reach its end, but no memory
 * lies there. Source: early_node_map and zone lines of such kernels beside their maps.
 */
import type { ProblemList } from '../base/problem-list.js';
import type { ByteRange, MachineDescription } from '../types/all.js';

const SLACK = 8 * 2 ** 20;

/** Bytes at the end of the map that are room and not memory: 8 MiB or none. */
export function xenSlack(
  usable: readonly ByteRange[],
  { firmware, kernel }: MachineDescription,
  problems: ProblemList,
): number {
  const [entry, ...others] = firmware.map;
  const isOwnMap = entry?.provider === 'Xen' && others.length === 0 && entry.start === 0;
  const [range, ...rest] = usable;
  if (!isOwnMap || range === undefined || rest.length > 0 || range.end !== entry.end) return 0;
  if (!(kernel?.release ?? '').includes('xen') || range.end <= SLACK) return 0;
  const message = 'the last 8 MiB of a map that a Xen kernel made are room, not memory';
  problems.warn('ASSUMED', entry.line, message);
  return SLACK;
}
