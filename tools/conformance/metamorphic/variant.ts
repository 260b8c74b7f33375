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
export function factText({ fact, subject, kernel, ours, verdict }: FactReport): string {
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

/** What is still compared is equal: a value that cannot be known any more is said not to follow. */
export function nothingDiffers(before: CheckReport, after: CheckReport): string | undefined {
  if (after.rejected !== undefined) return undefined;
  if (before.differs > 0) return undefined;
  const wrong = after.facts.find(({ verdict }) => verdict === 'differs');
  return wrong === undefined ? undefined : factText(wrong);
}

/** As many facts compared and equal as before, none of them wrong. */
export function sameCounts(before: CheckReport, after: CheckReport): string | undefined {
  if (after.rejected !== undefined) return `rejected: ${after.rejected}`;
  const wrong = after.facts.find(({ verdict }) => verdict === 'differs');
  if (wrong !== undefined && before.differs === 0) return factText(wrong);
  const [was, is] = [before, after].map(
    (report) => `${report.equal} equal, ${report.notDerivable} not derivable`,
  );
  return was === is || before.differs > 0 ? undefined : `${was!} before, ${is!} after`;
}
