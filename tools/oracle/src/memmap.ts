/** `snap_*_sections.txt` and `snap_*_structpages.txt`: the memory map itself. */
import { OracleError, linesOf, match, parseCount, word } from './text.js';

/** Bits of `SectionSnapshot.flags`. */
export const SECTION_FLAGS = {
  PRESENT: 1,
  HAS_MEM_MAP: 2,
  ONLINE: 4,
  EARLY: 8,
  TAINT_ZONE_DEVICE: 0x10,
} as const;

/** `count` pageblocks in a row of one type: U, M, R, H(ighAtomic), I(solate). */
export interface PageblockRun {
  readonly type: string;
  readonly count: number;
}

/** One present section. */
export interface SectionSnapshot {
  readonly number: number;
  readonly flags: number;
  /** One bit per subsection, lowest first. */
  readonly subsections: bigint;
  readonly pageblocks: readonly PageblockRun[];
}

/** A run of page descriptors of equal state; pfns `[start, start + count)`. */
export type StructPageRun =
  | {
      readonly kind: 'page';
      readonly start: number;
      readonly count: number;
      readonly nid: number;
      readonly zone: number;
      readonly lowFlags: number;
      readonly midFlags: number;
      readonly refcount: number;
      /** The page_type / mapcount word, unsigned. */
      readonly type: number;
    }
  | {
      /** `zero`: never initialised. `unmapped`: there is no memory for the descriptor. */
      readonly kind: 'zero' | 'unmapped';
      readonly start: number;
      readonly count: number;
    };

/** Reads the text of `snap_*_sections.txt`. */
export function readSections(text: string): SectionSnapshot[] {
  const pattern =
    /^section (?<number>\d+) flags=(?<flags>0x[0-9a-f]+) subsection_map=(?<map>0x[0-9a-f]+) pageblocks=(?<blocks>\S*)$/;
  return linesOf(text)
    .filter((line) => line.startsWith('section '))
    .map((line) => {
      const { number, flags, map, blocks } = match(line, pattern, 'section');
      return {
        number: Number(number),
        flags: parseCount(flags!),
        subsections: BigInt(map!),
        pageblocks: [...blocks!.matchAll(/([A-Z])(\d+)/g)].map((m) => ({
          type: m[1]!,
          count: Number(m[2]),
        })),
      };
    });
}

/** Type letters of a section's pageblocks, one per pageblock. */
export function expandPageblocks(section: SectionSnapshot): string[] {
  return section.pageblocks.flatMap((run) => new Array<string>(run.count).fill(run.type));
}

/** Reads the text of `snap_*_structpages.txt`, a run at a time. */
export function* readStructPages(text: string): Generator<StructPageRun, void, undefined> {
  for (const line of linesOf(text)) {
    const [start, count, state] = line.split(' ');
    const run = { start: parseCount(start!, 16), count: parseCount(count!, 16) };
    if (state === 'zero' || state === 'unmapped') {
      yield { kind: state, ...run };
      continue;
    }
    const field = (key: string): number => {
      const value = word(line, key);
      if (value === undefined) throw new OracleError('struct page run', line);
      return parseCount(value);
    };
    yield {
      kind: 'page',
      ...run,
      nid: field('node'),
      zone: field('zone'),
      lowFlags: field('lowflags'),
      midFlags: field('midflags'),
      refcount: field('ref'),
      type: field('type'),
    };
  }
}
