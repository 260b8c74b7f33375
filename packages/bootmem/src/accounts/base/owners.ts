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
  const borders = [...new Set(claims.flatMap(({ start, end }) => [start, end]))].sort(
    (a, b) => a - b,
  );
  const cells = Math.max(0, borders.length - 1);
  const cellAt = new Map(borders.map((border, index) => [border, index]));
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
    const last = cellAt.get(end)!;
    for (let cell = find(cellAt.get(start)!); cell < last; cell = find(cell)) {
      ownerOf[cell] = owner;
      next[cell] = cell + 1;
    }
  }
  const result: { start: number; end: number; owner: Owner }[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const owner = ownerOf[cell];
    if (owner === undefined) continue;
    const last = result.at(-1);
    if (last?.owner === owner && last.end === borders[cell]) last.end = borders[cell + 1]!;
    else result.push({ start: borders[cell]!, end: borders[cell + 1]!, owner });
  }
  return result;
}
