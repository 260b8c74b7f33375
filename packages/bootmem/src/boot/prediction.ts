/**
 * What the rest of a boot would take on a machine with more pages than descriptors can number: a sample of it is brought
 * up as the deferred pass does it, on the calling thread, and the time goes up with the pages.
 */
import type { DeferredNode } from '@bootmem/page-init';
import type { PredictionReport } from '../result.js';

/** Sections of the sample: 16 GiB of 4 KiB pages on x86; a quarter of it before, which warms the code. */
const SAMPLE_SECTIONS = 128;

/**
 * Brings a sample up and predicts.
 * @param nodes       with a deferred part, at the first allocation; the sample is of the one with most memory
 * @param totalPages  that are deferred
 * @param reason      why the rest is left out, for people
 * @returns undefined when nothing is deferred
 */
export function predictRest(
  nodes: readonly DeferredNode[],
  totalPages: number,
  reason: string,
): PredictionReport | undefined {
  const node = nodes.toSorted((a, b) => b.claims.count - a.claims.count)[0];
  const first = node?.claims.firstPending(0);
  if (node === undefined || first === undefined) return undefined;
  const end = node.endPfn;
  const start = end - (node.claims.count - first) * node.sectionPages;
  const warm = Math.min(end, start + (SAMPLE_SECTIONS / 4) * node.sectionPages);
  node.initChunk(start, warm);
  const before = node.counts().pages;
  const started = performance.now();
  node.initChunk(warm, Math.min(end, warm + SAMPLE_SECTIONS * node.sectionPages));
  const sampleMs = performance.now() - started;
  const sampledPages = node.counts().pages - before;
  if (sampledPages === 0) return undefined;
  const pages = totalPages - nodes.reduce((sum, one) => sum + one.counts().pages, 0);
  const pagesPerSecond = (1000 * sampledPages) / sampleMs;
  return { reason, pages, sampledPages, pagesPerSecond, ms: (1000 * pages) / pagesPerSecond };
}
