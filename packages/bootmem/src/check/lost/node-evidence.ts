/**
 * Lines about nodes that are missing. A kernel uses a table of nodes only if it covers its memory (but for less than 1 MiB):
 * memory in no block of a table that it did use means that a line of the table is lost.
 */
import { normalise, subtract } from '@bootmem/firmware-map/derive';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { formatMemRange } from '../../format/numbers.js';

/** What is missing, in words. */
export function nodeEvidence({ description, derived, pageSize }: LayoutPlan): string | undefined {
  const { numa, cpus } = description;
  const { nodeSource } = derived;
  if (nodeSource !== 'srat' && nodeSource !== 'faked') return undefined;
  const blocks =
    nodeSource === 'srat' ? [...numa.srat, ...numa.merges.map(({ result }) => result)] : numa.faked;
  const [outside] = subtract(normalise(derived.memory), blocks);
  if (outside !== undefined && outside.end - outside.start >= pageSize) {
    return `the log lacks lines about nodes: memory at ${formatMemRange(outside.start, outside.end)} is in no node's block`;
  }
  const listed = new Set(numa.cpus.map(({ id }) => id)).size;
  const known = cpus.present ?? cpus.possible;
  return nodeSource === 'srat' && listed > 0 && known !== undefined && listed < known
    ? `the log lacks lines about nodes: it names the node of ${listed} processors, the machine has ${known}`
    : undefined;
}
