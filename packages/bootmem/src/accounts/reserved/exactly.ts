/**
 * What is reserved, from the operations of `memblock=debug`: every byte with the line that reserved it.
 *
 * ```
 * final lists (replayed)  reserved [=====]   [==========]  [==]     what counts, as far as it is memory
 * owners by address       image | initrd | NODE_DATA               these lines name places: they win
 * owners by operation     the last reservation that covers a byte, by the purpose of its caller
 * ```
 */
import { intersect, normalise, totalLength } from '@bootmem/firmware-map/derive';
import type { Memblock } from '@bootmem/memblock';
import { finalState } from '../../plan/replay.js';
import type { ByteSpan, Evidence } from '../../explain-result.js';
import { purposeOf } from './callers.js';
import type { LevelDraft } from '../base/level.js';
import { owners } from '../base/owners.js';
import type { Owned } from '../base/owners.js';
import { addMissing } from './by-lines.js';
import { handedOver, presentMemory } from './totals.js';
import { placedRows } from './placed-rows.js';
import type { RowKind } from '../base/row-kinds.js';
import type { Subject } from '../base/subject.js';

/** Who reserved something. */
interface Owner {
  readonly kind: RowKind;
  readonly caller: string;
  readonly line: number;
}

/**
 * Fills the level, where the log holds the operations.
 * @returns false when it does not
 */
export function reservedExactly(subject: Subject, level: LevelDraft): boolean {
  const { plan } = subject;
  const state = finalState(plan);
  if (state === undefined) return false;
  const memory = normalise(plan.derived.memory);
  const reserved = intersect(normalise(reservedBytes(state)), memory);
  for (const row of placedRows(subject)) {
    if (row.ranges === undefined) continue;
    // What is never mapped is no reservation, and counts as one.
    const inside = row.kind === 'no-map' ? row.ranges : intersect(row.ranges, reserved);
    level.add({ ...row, ranges: inside });
  }
  const purposes = byPurpose(subject);
  for (const [kind, parts] of purposes) {
    const ranges = intersect(parts, reserved);
    level.add({ kind, ranges, how: 'printed', evidence: evidenceOf(subject, parts) });
  }
  const pages = outward(reserved, plan.pageSize);
  level.add({
    kind: 'page-rounding',
    bytes: totalLength(intersect(pages, memory)) - totalLength(reserved),
    how: 'computed',
    evidence: [
      subject.quote.formula(
        `a page counts as reserved when a byte of it is: ${totalLength(pages) / plan.pageSize} pages hold ${totalLength(reserved)} reserved bytes`,
      ),
    ],
  });
  // Where the log lost some of its operations, the sum shows it: then rules may help.
  const missing = reservedBytesPrinted(subject) - level.named;
  if (missing > reservedBytesPrinted(subject) / 100) {
    addMissing(subject, level, new Set<string>([...purposes.keys(), ...PLACED]));
  }
  return true;
}

/** Kinds that lines with a place tell, or operations by another name, if anything does. */
const PLACED: readonly RowKind[] = [
  'initrd',
  'efi-boot-services',
  'page-tables',
  'process-table',
  'hash-page-table',
];

function reservedBytesPrinted(subject: Subject): number {
  const handed = handedOver(subject);
  return handed === undefined ? 0 : presentMemory(subject).bytes - handed.bytes;
}

function reservedBytes(state: Memblock): ByteSpan[] {
  return state.regions('reserved').map(({ base, size }) => ({ start: base, end: base + size }));
}

function outward(ranges: readonly ByteSpan[], pageSize: number): ByteSpan[] {
  return normalise(
    ranges.map(({ start, end }) => ({
      start: Math.floor(start / pageSize) * pageSize,
      end: Math.ceil(end / pageSize) * pageSize,
    })),
  );
}

function byPurpose({ plan }: Subject): Map<RowKind, Owned<Owner>[]> {
  const { operations } = plan.description.memblock;
  const claims = operations.flatMap((one, index): Owned<Owner>[] => {
    if (one.op !== 'reserve' && one.op !== 'grow') return [];
    const { start, end } = one;
    if (one.op === 'grow') return [{ start, end, owner: grown(one.line) }];
    const request = operations[index - 1];
    const isAnswer = /^memblock_(?:phys_)?(?:alloc|double)/.test(one.caller);
    // The request names who asks; the reservation after it is the answer.
    const asked = isAnswer && request?.op === 'alloc' ? request : one;
    const owner = { kind: purposeOf(asked.caller), caller: asked.caller, line: asked.line };
    return [{ start, end, owner }];
  });
  const purposes = new Map<RowKind, Owned<Owner>[]>();
  for (const part of owners(claims)) {
    const parts = purposes.get(part.owner.kind);
    if (parts === undefined) purposes.set(part.owner.kind, [part]);
    else parts.push(part);
  }
  return purposes;
}

function grown(line: number): Owner {
  return { kind: 'other-early', caller: 'memblock_double_array', line };
}

/** The largest reservations first, then how many more there are. */
function evidenceOf({ quote }: Subject, parts: readonly Owned<Owner>[]): Evidence[] {
  const bytes = new Map<Owner, number>();
  for (const { owner, start, end } of parts)
    bytes.set(owner, (bytes.get(owner) ?? 0) + end - start);
  const sorted = [...bytes].sort(([, a], [, b]) => b - a);
  const shown = sorted
    .slice(0, 4)
    .map(([{ line, caller }, size]) => quote.at(line, `${size} bytes by ${caller}`));
  const more = sorted.slice(4).reduce((sum, [, size]) => sum + size, 0);
  return more === 0
    ? shown
    : [...shown, quote.formula(`and ${more} bytes in ${sorted.length - 4} more reservations`)];
}
