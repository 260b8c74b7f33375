/**
 * Joins the two halves of a boot log that was longer than the kernel's first ring: a live console holds its beginning
 * and falls silent when the ring is moved, the ring itself has lost the beginning.
 *
 * ```
 * console   A B C D E F
 * ring            E F G H I        E F: the overlap
 * joined    A B C D E F G H I
 * ```
 * The halves are of one boot when the ring's first lines stand in the console in the same order, up to its end or
 * for {@link LONG_OVERLAP} lines.
 */

/** Lines in a row that cannot be equal by chance. */
const LONG_OVERLAP = 40;
/** Fewer prove nothing. */
const SHORT_OVERLAP = 3;

/** A message without what its way out added: priority, carriage returns. */
function bare(line: string): string {
  return line.replace(/^<\d{1,3}>/, '').trimEnd();
}

/**
 * Joins the halves.
 * @param console  the beginning, as a console showed it
 * @param ring     the end, as `dmesg` shows it
 * @returns the whole; `undefined` when no overlap shows that they belong together
 */
export function joinLogs(console: string, ring: string): string | undefined {
  const first = console.split('\n');
  const second = ring.split('\n').filter((line) => line.trim() !== '');
  const heads = first.map(bare);
  const begin = bare(second[0] ?? '');
  if (begin === '') return undefined;
  for (let at = heads.indexOf(begin); at >= 0; at = heads.indexOf(begin, at + 1)) {
    if (overlap(heads, at, second) !== undefined) {
      return [...first.slice(0, at), ...second, ''].join('\n');
    }
  }
  return undefined;
}

/** Lines that are equal from `at` on, if that many prove it. */
function overlap(
  heads: readonly string[],
  at: number,
  ring: readonly string[],
): number | undefined {
  let count = 0;
  for (let index = at; index < heads.length; index++) {
    if (heads[index] === '') continue;
    if (count >= LONG_OVERLAP) return count;
    if (count >= ring.length || heads[index] !== bare(ring[count]!)) return undefined;
    count++;
  }
  return count >= SHORT_OVERLAP ? count : undefined;
}
