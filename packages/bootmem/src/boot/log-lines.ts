/**
 * Kernel-like log lines with our own times.
 */
import { bootLines } from '@bootmem/buddy-allocator/reports';
import { formatBytes, formatMemRange } from '../format/numbers.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { type BootNeeds, moreThan } from '../plan/limits/needs.js';
import type { Placement } from './threads.js';

/** Collects lines and hands each on. */
export class BootLog {
  readonly lines: string[] = [];
  readonly #start: number;
  readonly #emit: (line: string, ms: number) => void;

  /**
   * @param start  moment of the boot's start on `performance.now()`
   * @param emit   receives each finished line
   */
  constructor(start: number, emit: (line: string, ms: number) => void) {
    this.#start = start;
    this.#emit = emit;
  }

  /** Adds a line, stamped with seconds since the start as the kernel does. */
  add(text: string): void {
    const ms = performance.now() - this.#start;
    const line = `[${(ms / 1000).toFixed(6).padStart(12)}] ${text}`;
    this.lines.push(line);
    this.#emit(line, ms);
  }
}

/**
 * The lines that describe the layout: zone ranges, movable starts, early node ranges.
 * @param plan  a planned machine
 */
export function layoutLines(plan: LayoutPlan): string[] {
  return [
    ...bootLines.zoneRanges(plan.layout),
    ...bootLines.movableStart(plan.layout),
    'Early memory node ranges',
    ...plan.derived.memory.map(
      ({ nid, start, end }) => `  node ${String(nid).padStart(3)}: ${formatMemRange(start, end)}`,
    ),
  ];
}

/**
 * What will be reserved and touched, said before it is.
 * @param needs  of the machine
 * @param all    whether every page will be initialised
 */
export function needsLines(needs: BootNeeds, all: boolean): string[] {
  const reserved = `page descriptors: reserves ${formatBytes(needs.reservedBytes)} of address space`;
  if (!needs.whole) {
    return [
      `${reserved}; ${needs.descriptors} pages are more than ${moreThan(needs.most)}: ` +
        'to the first allocation, the rest is predicted',
    ];
  }
  return [`${reserved}, touches ${all ? 'about' : 'at most'} ${formatBytes(needs.touchedBytes)}`];
}

/**
 * Which threads belong to which node of this host.
 * @param placement  absent: none do
 */
export function placementLines(placement: Placement | undefined): string[] {
  if (placement === undefined) return [];
  const how = placement.bound ? 'tied to' : 'meant for';
  return placement.nodes.map(({ nid, cpus, helpers }) => {
    const who = helpers.length === 0 ? 'no helper' : `helpers ${helpers.join(', ')}`;
    return `deferred pages: ${who} ${how} processors ${cpus === '' ? 'of any number' : cpus} of host node ${nid}`;
  });
}
