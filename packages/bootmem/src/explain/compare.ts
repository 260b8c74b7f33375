/** Two boots row by row: what `explain A B` shows. */
import type {
  ComparedRow,
  ExplainComparison,
  ExplainLevel,
  ExplainReport,
} from '../explain-result.js';

type Entry = Omit<ComparedRow, 'before' | 'after'> & { readonly bytes: number };

/** Every figure of a level. Ranges do not pair rows: firmware moves them about. */
function entries(level: ExplainLevel): Entry[] {
  const { id, whole, rows, rest, left } = level;
  return [
    { level: id, id: 'whole', label: whole.label, bytes: whole.bytes },
    ...rows.map((row) => ({ level: id, id: row.id, label: row.label, bytes: row.bytes })),
    { level: id, id: 'rest', label: 'not named', bytes: rest.bytes },
    ...(left === undefined
      ? []
      : [{ level: id, id: 'left', label: left.label, bytes: left.bytes }]),
  ];
}

/**
 * Pairs the rows of two reports by level and id.
 * @returns level by level: rows of the first report, those of the second alone, the rest, what goes on
 */
export function compareReports(first: ExplainReport, second: ExplainReport): ExplainComparison {
  const levels = [...first.levels, ...second.levels].map(({ id }) => id);
  const rows = [...new Set(levels)].flatMap((id): ComparedRow[] => {
    const [before, after] = [first, second].map((report) =>
      report.levels.filter((level) => level.id === id).flatMap(entries),
    ) as [Entry[], Entry[]];
    const left = new Map(after.map((entry) => [entry.id, entry]));
    const paired = before.map((entry) => {
      const other = left.get(entry.id);
      left.delete(entry.id);
      return row(entry, entry.bytes, other?.bytes ?? 0);
    });
    const added = [...left.values()].map((entry) => row(entry, 0, entry.bytes));
    const isEnd = ({ id: own }: ComparedRow): boolean => own === 'rest' || own === 'left';
    const all = [...paired, ...added];
    return [...all.filter((one) => !isEnd(one)), ...all.filter(isEnd)];
  });
  return {
    schema: 'bootmem/explain-comparison',
    version: 1,
    sources: [first.source, second.source],
    kernels: [first.kernel, second.kernel],
    rows: rows.filter(({ before, after }) => before > 0 || after > 0),
  };
}

function row({ level, id, label }: Entry, before: number, after: number): ComparedRow {
  return { level, id, label, before, after };
}
