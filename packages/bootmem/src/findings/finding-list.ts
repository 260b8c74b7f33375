/** Collects findings, each with the line that it rests on. */
import type { Finding } from '../result.js';
import type { LayoutPlan } from '../plan/layout-plan.js';

/** What findings are looked for in. */
export interface Searched {
  readonly plan: LayoutPlan;
  /** Texts of lines by number, as far as they were kept. */
  readonly lines: ReadonlyMap<number, string>;
}

/** Finds findings of one kind. */
export type FindingRule = (searched: Searched) => Iterable<Finding>;

/**
 * A finding.
 * @param searched  where it was found
 * @param line      its line; 0 where no line says it
 * @param words     what was found
 */
export function found(
  { lines }: Searched,
  line: number,
  words: Omit<Finding, 'line' | 'text'>,
): Finding {
  const text = lines.get(line)?.trim();
  return {
    ...words,
    ...(line === 0 ? {} : { line }),
    ...(text === undefined ? {} : { text }),
  };
}
