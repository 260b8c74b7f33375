/**
 * What a person should know about a boot: what the kernel complained about, options without effect, tables that were
 * thrown away, memory that was lost. Each with its line, an explanation, and what would help.
 */
import { atOnce } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { Finding } from '../result.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import { complaints } from './complaints.js';
import type { FindingRule } from './finding-list.js';
import { optionFindings } from './options.js';
import { flatMemory, logShape, lostPages, overlaps, rejectedTables } from './tables.js';

const RULES: readonly FindingRule[] = [
  complaints,
  rejectedTables,
  lostPages,
  optionFindings,
  overlaps,
  flatMemory,
  logShape,
];

const RANK = { error: 0, warning: 1, note: 2 } as const;

/** Findings listed at most; a broken log may hold very many of one kind. */
const MAX_FINDINGS = 100;

/**
 * Looks for findings.
 * @param plan   a planned machine
 * @param lines  texts of the log's lines, as far as they were kept
 * @returns errors first, then by line
 */
export function findingsOf(
  plan: LayoutPlan,
  lines: ReadonlyMap<number, string> = new Map(),
): Finding[] {
  return atOnce(findingsSteps(plan, lines));
}

/** The same, to be interrupted. */
export function* findingsSteps(
  plan: LayoutPlan,
  lines: ReadonlyMap<number, string> = new Map(),
): Steps<Finding[]> {
  const found: Finding[] = [];
  for (const rule of RULES) {
    for (const finding of rule({ plan, lines })) found.push(finding);
    yield;
  }
  return found
    .sort((a, b) => RANK[a.severity] - RANK[b.severity] || (a.line ?? 0) - (b.line ?? 0))
    .slice(0, MAX_FINDINGS);
}

/** Whether `--strict` fails a command for these findings. */
export function isSerious(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity !== 'note');
}
