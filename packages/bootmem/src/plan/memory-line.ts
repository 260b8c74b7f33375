/**
 * What the second number of the `Memory:` line counts.
 *
 * ```
 *   Memory: 3973816k/4980736k available (6109k kernel code, 788360k absent, …)     x86, to 3.10: up to the last page
 *   Memory: 126228k/131072k available (2558k kernel code, 4844k reserved, 576k data, …)   others, to 3.10: each its own
 *   Memory: 6018312K/6291456K available (14336K kernel code, 2459K rwdata, …)      all, from 3.11: pages present
 * ```
 * The form is the sign: trees in development have it before their release number says so.
 * @kernel mem_init_print_info
 */
import type { LayoutPlan } from './layout-plan.js';

/** Architectures whose old line counts up to the last page, holes and all. */
const TO_THE_LAST_PAGE: ReadonlySet<string> = new Set(['x86_64', 'i386', 's390x']);

/**
 * Whether the line counts holes.
 * @param plan  a planned machine
 */
export function countsHoles({ description, kernel }: LayoutPlan): boolean {
  const parts = description.printed.memory?.partsKb ?? {};
  if (parts['absent'] !== undefined) return true;
  if (parts['rwdata'] !== undefined) return false;
  return (
    kernel.printed.memoryTotal === 'last-page' &&
    TO_THE_LAST_PAGE.has(description.architecture ?? 'x86_64')
  );
}
