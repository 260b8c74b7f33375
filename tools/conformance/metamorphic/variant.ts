/** What a variant is, and how its outcome is judged without a kernel. */
import type { CheckReport, FactReport } from 'bootmem/check';
import type { Random } from '../../kit/random.mjs';
import type { Recording } from './recording.js';

/** Kinds of variants. */
export type VariantClass = 'identity' | 'form' | 'dropped line' | 'renaming' | 'conservation';

/** A change whose outcome is known. */
export interface Variant {
  /** What was changed, in words. */
  readonly what: string;
  readonly recording: Recording;
  /** What it is compared with, where that is not the recording itself. */
  readonly base?: Recording;
  /** The log as it is stored, where that is no text. */
  readonly packed?: Uint8Array;
  /** Judges; `undefined` when all is as it must be, else what is not. */
  readonly judge: (before: CheckReport, after: CheckReport) => string | undefined;
}

/** A rule that makes variants. */
export interface Rule {
  readonly class: VariantClass;
  readonly name: string;
  /** Why the outcome is known without a kernel. */
  readonly reason: string;
  /**
   * Makes one variant.
   * @returns `undefined` when the rule says nothing about this recording
   */
  readonly vary: (recording: Recording, random: Random) => Variant | undefined;
}

/** A fact in one line. */
function factText({ fact, subject, kernel, ours, verdict }: FactReport): string {
  return `${fact} of ${subject}: kernel ${kernel}, ours ${ours} (${verdict})`;
}

/** Every fact as before, whatever the order of lines. */
export function sameFacts(before: CheckReport, after: CheckReport): string | undefined {
  if (after.rejected !== undefined) return `rejected: ${after.rejected}`;
  const left = count(before.facts.map(factText));
  for (const fact of after.facts.map(factText)) {
    const times = left.get(fact) ?? 0;
    if (times === 0) return `new: ${fact}`;
    left.set(fact, times - 1);
  }
  const [gone] = [...left].find(([, times]) => times > 0) ?? [];
  return gone === undefined ? undefined : `gone: ${gone}`;
}

function count(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** Facts of one kind, by verdict. */
interface Verdicts {
  equal: number;
  differs: number;
  open: number;
  /** What was found wrong first, and what was found not to follow first. */
  firstWrong?: FactReport;
  firstOpen?: FactReport;
}

function byKind(report: CheckReport): Map<string, Verdicts> {
  const kinds = new Map<string, Verdicts>();
  for (const fact of report.facts) {
    const verdicts = kinds.get(fact.fact) ?? { equal: 0, differs: 0, open: 0 };
    kinds.set(fact.fact, verdicts);
    if (fact.verdict === 'equal') verdicts.equal++;
    else if (fact.verdict === 'differs') {
      verdicts.differs++;
      verdicts.firstWrong ??= fact;
    } else {
      verdicts.open++;
      verdicts.firstOpen ??= fact;
    }
  }
  return kinds;
}

const NONE: Verdicts = { equal: 0, differs: 0, open: 0 };

/**
 * What is still compared is equal: a value that cannot be known any more is said not to follow. Of a kind that differs on the
 * recording itself no more may differ than there.
 */
export function nothingDiffers(before: CheckReport, after: CheckReport): string | undefined {
  if (after.rejected !== undefined) return undefined;
  const was = byKind(before);
  for (const [kind, { differs, firstWrong }] of byKind(after)) {
    if (differs > (was.get(kind) ?? NONE).differs) return factText(firstWrong!);
  }
  return undefined;
}

/**
 * Nothing more differs, and what was compared and equal is so still, kind by kind: a variant that loses no line gives no reason
 * to doubt one, so that "not derivable" does not stand for a value that came out wrong.
 * @param kinds  the kinds that are judged; none: all of them
 * @param grows  whether a kind may have more facts than before, all of them compared
 */
export function keepsFacts(
  before: CheckReport,
  after: CheckReport,
  kinds?: ReadonlySet<string>,
  grows = false,
): string | undefined {
  if (after.rejected !== undefined) return `rejected: ${after.rejected}`;
  const wrong = nothingDiffers(before, kinds === undefined ? after : only(after, kinds));
  if (wrong !== undefined) return wrong;
  const [was, is] = [byKind(before), byKind(after)];
  for (const kind of kinds ?? new Set([...was.keys(), ...is.keys()])) {
    const [old, now] = [was.get(kind) ?? NONE, is.get(kind) ?? NONE];
    // A kind that followed nowhere on the recording itself is not expected to follow now.
    const isOpen = old.open > 0 && old.equal + old.differs === 0;
    if (now.open > old.open && !(grows && isOpen))
      return `${kind} does not follow any more: ${now.firstOpen?.reason ?? ''}`;
    const isKept = grows
      ? now.equal >= old.equal
      : now.equal === old.equal && now.open === old.open;
    if (!isKept)
      return `${kind}: ${now.equal} equal and ${now.open} open, were ${old.equal} and ${old.open}`;
  }
  return undefined;
}

function only(report: CheckReport, kinds: ReadonlySet<string>): CheckReport {
  return { ...report, facts: report.facts.filter(({ fact }) => kinds.has(fact)) };
}
