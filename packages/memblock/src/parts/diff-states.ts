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
  diffPayloads(left, right, lines);
  return lines;
}

/** Ranges of payloads that one of the two has, by place and by value, as a Map compares. */
function diffPayloads(left: MemblockState, right: MemblockState, lines: string[]): void {
  const numbers = new Map<unknown, number>();
  const keys = ({ payloads = [] }: MemblockState): Map<string, string> =>
    new Map(
      payloads.map(({ type, base, size, payload }) => {
        if (!numbers.has(payload)) numbers.set(payload, numbers.size);
        const range = `${type}: payload of [${plainHex(base)}, ${plainHex(base + size)})`;
        return [`${range} ${numbers.get(payload)}`, range];
      }),
    );
  const [before, after] = [keys(left), keys(right)];
  for (const [key, range] of before) if (!after.has(key)) lines.push(`${range} is gone`);
  for (const [key, range] of after) if (!before.has(key)) lines.push(`+ ${range}`);
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
