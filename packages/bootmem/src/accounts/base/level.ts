/**
 * One level of the table while it is filled: `whole = rows + rest + left`, whatever rows come.
 *
 * A row with addresses gets those that no row before it has, so rows never share a byte. Rows are taken in order of
 * trust: what comes later gets what is left. A formula that gives more than there is, is cut, and the row says by how
 * much: the rest is never negative, and an overrun never hidden.
 */
import { normalise, totalLength } from '@bootmem/firmware-map/derive';
import type { ByteSpan, Evidence, ExplainLevel, ExplainRow } from '../../explain-result.js';
import { ROWS } from './row-kinds.js';
import type { RowFacts, RowKind } from './row-kinds.js';
import { TakenRanges } from './taken-ranges.js';

/** A row as it comes from a line or a formula. */
export interface RowInput {
  readonly kind: RowKind;
  /** Tells rows of one kind apart: a range, a node, a table. */
  readonly of?: string;
  /** Bytes, where no addresses are known. */
  readonly bytes?: number;
  /** Where it lies: then its length counts, less what rows before it have of it. */
  readonly ranges?: readonly ByteSpan[];
  readonly how: ExplainRow['how'];
  readonly evidence: readonly Evidence[];
  readonly returned?: string;
}

/** An amount with the lines that say it. */
export interface Amount {
  readonly label: string;
  readonly bytes: number;
  readonly evidence: readonly Evidence[];
}

/** Evidence lines kept for one row. */
const MAX_EVIDENCE = 8;

/** A row so far: what came with it first, and what was added under the same name. */
interface Part {
  readonly input: RowInput;
  how: RowInput['how'];
  bytes: number;
  /** In the order they came; absent as soon as some of its bytes have no address. */
  ranges: ByteSpan[] | undefined;
  readonly evidence: Evidence[];
}

/** The stable name of a row. */
function idOf({ kind, of }: RowInput): string {
  return of === undefined ? kind : `${kind} ${of}`;
}

/** A level that is being filled. */
export class LevelDraft {
  readonly #parts = new Map<string, Part>();
  readonly #taken = new TakenRanges();

  /** Adds an amount; nothing when it is 0 or all its addresses are taken. Amounts of one name are one row. */
  add(input: RowInput): void {
    const ranges =
      input.ranges === undefined
        ? undefined
        : normalise(input.ranges).flatMap((range) => this.#taken.take(range));
    const bytes = ranges === undefined ? (input.bytes ?? 0) : totalLength(ranges);
    if (bytes <= 0) return;
    const id = idOf(input);
    const known = this.#parts.get(id);
    if (known === undefined) {
      const evidence = input.evidence.slice(0, MAX_EVIDENCE);
      this.#parts.set(id, { input, how: input.how, bytes, ranges, evidence });
      return;
    }
    known.bytes += bytes;
    if (ranges === undefined) known.ranges = undefined;
    else if (known.ranges !== undefined) for (const range of ranges) known.ranges.push(range);
    if (known.how === 'printed') known.how = input.how;
    known.evidence.push(...input.evidence.slice(0, MAX_EVIDENCE - known.evidence.length));
  }

  /** Addresses that rows have so far: sorted, disjoint. */
  get taken(): readonly ByteSpan[] {
    return this.#taken.ranges;
  }

  /** Bytes of all rows so far. */
  get named(): number {
    return [...this.#parts.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * The level.
   * @param head   id and title
   * @param whole  what is divided up
   * @param left   what goes on, at most the whole; absent at a level that ends there
   */
  finish(head: Pick<ExplainLevel, 'id' | 'title'>, whole: Amount, left?: Amount): ExplainLevel {
    const onward =
      left === undefined ? undefined : { ...left, bytes: Math.min(left.bytes, whole.bytes) };
    let room = whole.bytes - (onward?.bytes ?? 0);
    const share = (bytes: number): number => (whole.bytes === 0 ? 0 : bytes / whole.bytes);
    // Printed amounts first: where a formula gives too much, it is the formula that is cut.
    const parts = [...this.#parts.values()];
    const order = parts.toSorted((a, b) => trust(a) - trust(b));
    const granted = new Map<Part, number>();
    for (const part of order) {
      const given = Math.min(part.bytes, room);
      room -= given;
      granted.set(part, given);
    }
    const rows = parts.flatMap((part): ExplainRow[] => {
      const given = granted.get(part) ?? 0;
      return given === 0 ? [] : [rowOf(part, given, share(given))];
    });
    return {
      ...head,
      whole,
      rows: rows.sort((a, b) => b.bytes - a.bytes),
      rest: { bytes: room, share: share(room) },
      ...(onward === undefined ? {} : { left: onward }),
    };
  }
}

function trust({ how }: Part): number {
  return how === 'printed' ? 0 : 1;
}

function rowOf(
  { input, how, bytes, ranges, evidence }: Part,
  given: number,
  share: number,
): ExplainRow {
  const kind: RowFacts = ROWS[input.kind];
  const isWhole = given === bytes;
  const returned = input.returned ?? kind.returned;
  return {
    id: idOf(input),
    label: input.of === undefined ? kind.label : `${kind.label} ${input.of}`,
    bytes: given,
    share,
    how,
    // Where an amount was cut, it is not known which addresses are left.
    ...(ranges === undefined || !isWhole ? {} : { ranges: normalise(ranges) }),
    evidence,
    changer: kind.changer,
    ...(kind.change === undefined ? {} : { change: kind.change }),
    ...(returned === undefined ? {} : { returned }),
    ...(isWhole ? {} : { cut: bytes - given }),
  };
}
