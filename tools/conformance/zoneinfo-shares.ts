/** How much of what /proc/zoneinfo says is compared, by architecture: facts compared and equal, of all. */
import { loadMachine } from 'bootmem';
import type { LogOutcome } from './log-runner.js';

/** Facts whose kernel's value stands in /proc/zoneinfo. */
const OF_ZONEINFO: ReadonlySet<string> = new Set([
  'spanned pages',
  'present pages',
  'zone start',
  'managed pages',
  'watermarks',
  'lowmem reserve',
  'page set batch',
  'page set high',
]);

interface Share {
  boots: number;
  equal: number;
  all: number;
  readonly reasons: Map<string, number>;
}

/** Architecture of a recorded boot. */
export async function architectureOf(path: string): Promise<string> {
  try {
    const { description } = await loadMachine(path);
    return description.architecture ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** A line for each architecture, and the reasons of what is not compared, the most frequent first. */
export function zoneinfoShares(
  outcomes: readonly (LogOutcome & { readonly architecture: string })[],
): string[] {
  const shares = new Map<string, Share>();
  for (const { architecture, check } of outcomes) {
    const facts = check.facts.filter(({ fact }) => OF_ZONEINFO.has(fact));
    if (facts.length === 0) continue;
    const share: Share = shares.get(architecture) ?? {
      boots: 0,
      equal: 0,
      all: 0,
      reasons: new Map(),
    };
    shares.set(architecture, share);
    share.boots++;
    share.all += facts.length;
    for (const { verdict, reason = 'differs' } of facts) {
      if (verdict === 'equal') share.equal++;
      else share.reasons.set(reason, (share.reasons.get(reason) ?? 0) + 1);
    }
  }
  return [...shares]
    .sort()
    .flatMap(([architecture, { boots, equal, all, reasons }]) => [
      `zoneinfo ${architecture.padEnd(12)} ${String(boots).padStart(3)} boots  ${equal}/${all} facts equal  ${((100 * equal) / all).toFixed(1)} %`,
      ...[...reasons]
        .sort(([, left], [, right]) => right - left)
        .map(([reason, count]) => `         ${String(count).padStart(6)}  ${reason}`),
    ]);
}
