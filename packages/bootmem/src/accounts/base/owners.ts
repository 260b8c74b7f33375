/**
 * Who reserved which byte, from the operations of `memblock=debug`: each address belongs to the last reservation that
 * covers it.
 *
 * ```
 * operations, last first     c [====]     b    [======]     a [==============]
 * owners                       cccccccccccccccc bbbbbbb aaaaaaaaaaaa
 * ```
 * Painted from the last to the first over a list of cells, each of which is painted once: O(n log n) for n operations,
 * however they overlap.
 */
import type { ByteSpan } from '../../explain-result.js';

/** A range with its owner. */
export interface Owned<Owner> extends ByteSpan {
  readonly owner: Owner;
}

/**
 * Divides addresses among owners.
 * @param claims  in the order of time; a later one wins
 * @returns sorted, disjoint
 */
export function owners<Owner>(claims: readonly Owned<Owner>[]): Owned<Owner>[] {
  const sorted = claims.toSorted((a, b) => a.start - b.start);
  if (areApart(sorted)) return joined(sorted);
  const borders = bordersOf(claims);
  const cells = Math.max(0, borders.length - 1);
  const ownerOf = new Array<Owner | undefined>(cells);
  // The next cell at or after this one that has no owner yet.
  const next = Uint32Array.from({ length: cells + 1 }, (_, index) => index);
  const find = (from: number): number => {
    let cell = from;
    while (next[cell] !== cell) {
      next[cell] = next[next[cell]!]!;
      cell = next[cell]!;
    }
    return cell;
  };
  for (const { start, end, owner } of claims.toReversed()) {
    const last = cellAt(borders, end);
    for (let cell = find(cellAt(borders, start)); cell < last; cell = find(cell)) {
      ownerOf[cell] = owner;
      next[cell] = cell + 1;
    }
  }
  const owned: Owned<Owner>[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const owner = ownerOf[cell];
    if (owner !== undefined) owned.push({ start: borders[cell]!, end: borders[cell + 1]!, owner });
  }
  return joined(owned);
}

/** Whether sorted claims never overlap, as the entries of most maps: then their order in time decides nothing. */
function areApart(claims: readonly ByteSpan[]): boolean {
  return claims.every(
    ({ start, end }, index) => start < end && (index === 0 || claims[index - 1]!.end <= start),
  );
}

/** Ascending disjoint ranges, those of one owner that touch made one. */
function joined<Owner>(ranges: readonly Owned<Owner>[]): Owned<Owner>[] {
  const result: { start: number; end: number; owner: Owner }[] = [];
  for (const { start, end, owner } of ranges) {
    const last = result.at(-1);
    if (last?.owner === owner && last.end === start) last.end = end;
    else result.push({ start, end, owner });
  }
  return result;
}

/** All ends of all claims, ascending, each once. */
function bordersOf(claims: readonly ByteSpan[]): Float64Array {
  const all = new Float64Array(2 * claims.length);
  for (const [index, { start, end }] of claims.entries()) {
    all[2 * index] = start;
    all[2 * index + 1] = end;
  }
  return all.sort().filter((border, index, sorted) => index === 0 || border !== sorted[index - 1]);
}

/** The cell that begins at a border. */
function cellAt(borders: Float64Array, border: number): number {
  let [low, high] = [0, borders.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (borders[middle]! < border) low = middle + 1;
    else high = middle;
  }
  return low;
}
