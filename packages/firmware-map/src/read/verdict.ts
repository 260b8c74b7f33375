/** Why a boot is of no use: what its input is instead, as far as can be told. */
import { DEFAULT_PAGE_SIZE } from '../base/constants.js';
import { profileForRelease } from '../base/releases.js';
import type { Draft } from '../records/draft.js';
import type { ProblemCode } from '../types/all.js';

/** What was counted while the lines of an input came by. */
export interface LineCounts {
  /** All of them. */
  readonly lines: number;
  /** Those that hold any text. */
  readonly textLines: number;
  /** Those that hold bytes which no text has. */
  readonly binaryLines: number;
}

/**
 * The complaint about a boot that says nothing about memory.
 * @returns a code and a message
 */
export function uselessness(draft: Draft, counts: LineCounts): [ProblemCode, string] {
  const { lines, textLines, binaryLines } = counts;
  if (textLines === 0) return ['EMPTY_INPUT', 'the input holds no text'];
  if (binaryLines * 4 > lines) {
    return ['NOT_TEXT', `${binaryLines} of ${lines} lines hold bytes that no text has`];
  }
  return ['NO_MEMORY_MAP', whyNoMap(draft, lines)];
}

function whyNoMap(draft: Draft, lines: number): string {
  if (draft.kernel !== undefined && printsTotals(draft)) {
    const { release } = draft.kernel;
    return `the log of ${release} begins with its first line and holds no memory map: this kernel prints none on its architecture, only totals (${totalsOf(draft)})`;
  }
  if (draft.zoneRanges.length + draft.zonePfns.length > 0) {
    return 'the log names its zones, but the lines that say where memory is are not in it (a map, early node ranges)';
  }
  if (draft.kernel !== undefined || draft.records > 0) {
    return 'a kernel log, but without any memory map (was its beginning lost?)';
  }
  return `none of ${lines} lines says anything about memory`;
}

// A kernel that sized its memory without a word about where it lies. x86 always prints a map, so there it was cut out;
// so it was where zones are named, and in kernels of which all print their ranges.
function printsTotals(draft: Draft): boolean {
  const isX86 = ['x86_64', 'i386'].some((name) => draft.architectureVotes.has(name as 'i386'));
  return (
    !isX86 &&
    !profileForRelease(draft.kernel?.release).printsRanges &&
    draft.zoneRanges.length + draft.zonePfns.length === 0 &&
    (draft.nodePages.length > 0 || draft.memory !== undefined || draft.zonelists !== undefined)
  );
}

function totalsOf(draft: Draft): string {
  const pages = draft.nodePages.reduce((sum, node) => sum + node.totalPages, 0);
  const present = (pages * (draft.pageSize ?? DEFAULT_PAGE_SIZE)) / 2 ** 20;
  return [
    ...(pages === 0 ? [] : [`${Math.floor(present)} MiB present`]),
    ...(draft.memory === undefined ? [] : [`${draft.memory.availableKb} KiB available`]),
    ...(draft.zonelists?.totalPages === undefined
      ? []
      : [`${draft.zonelists.totalPages} pages in zonelists`]),
  ].join(', ');
}
