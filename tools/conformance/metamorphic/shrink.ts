/**
 * A failing variant in few lines: halves, quarters, … of its lines are taken away as long as it still fails. What is left is
 * the log alone; the files beside it are those of the recording.
 */
import type { CheckReport } from 'bootmem/check';
import { reportOf } from './recording.js';
import type { Variant } from './variant.js';

/** Most comparisons for one variant. */
const TRIALS = 60;

/** Lines that still fail in the same way. */
export function shrunk(variant: Variant, before: CheckReport): readonly string[] {
  let lines = variant.recording.lines;
  let trials = 0;
  for (
    let size = Math.ceil(lines.length / 2);
    size >= 1 && trials < TRIALS;
    size = Math.floor(size / 2)
  ) {
    for (let at = 0; at < lines.length && trials < TRIALS;) {
      const fewer = lines.toSpliced(at, size);
      trials++;
      if (stillDiffers(variant, before, fewer)) lines = fewer;
      else at += size;
    }
  }
  return lines;
}

// With lines missing, facts are missing: only a value that is wrong shows the same fault.
function stillDiffers(variant: Variant, before: CheckReport, lines: readonly string[]): boolean {
  try {
    const report = reportOf({ ...variant.recording, lines });
    return variant.judge(before, report) !== undefined && report.differs > 0;
  } catch {
    return true;
  }
}
