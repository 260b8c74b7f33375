/**
 * What changed between two states, as lines for people.
 */
import { plainHex } from '../base/notation.js';
import type { MemblockState, MemRegion } from '../base/types.js';

/**
 * Compares two states region by region, by base address.
 * @returns one line a difference, in order: lists, then totals and settings; empty when they are equal
 * @remarks O(n)
 */
export function diffStates(left: MemblockState, right: MemblockState): string[] {
  const lines: string[] = [];
  for (const type of ['memory', 'reserved', 'physmem'] as const) {
    diffLists(type, left[type] ?? [], right[type] ?? [], lines);
  }
  for (const field of ['memoryTotal', 'reservedTotal', 'currentLimit'] as const) {
    if (left[field] !== right[field]) {
      lines.push(
        `${field}: ${plainHex(left[field] ?? 'unset')} -> ${plainHex(right[field] ?? 'unset')}`,
      );
    }
  }
  for (const field of [
    'memoryMax',
    'reservedMax',
    'direction',
    'hasMirror',
    'resizable',
  ] as const) {
    if (left[field] !== right[field]) {
      lines.push(`${field}: ${String(left[field])} -> ${String(right[field])}`);
    }
  }
  const names = (state: MemblockState): string => JSON.stringify(state.named ?? []);
  if (names(left) !== names(right)) lines.push(`named: ${names(left)} -> ${names(right)}`);
  return lines;
}

function diffLists(
  type: string,
  left: readonly MemRegion[],
  right: readonly MemRegion[],
  lines: string[],
): void {
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const a = left[i];
    const b = right[j];
    if (b === undefined || (a !== undefined && a.base < b.base)) {
      lines.push(`${type}: ${show(a!)} is gone`);
      i++;
    } else if (a === undefined || b.base < a.base) {
      lines.push(`${type}: + ${show(b)}`);
      j++;
    } else {
      if (show(a) !== show(b)) lines.push(`${type}: ${show(a)} -> ${show(b)}`);
      i++;
      j++;
    }
  }
}

function show({ base, size, flags, nid }: MemRegion): string {
  return `[${plainHex(base)}, ${plainHex(base + size)}) nid ${nid} flags ${plainHex(flags)}`;
}
