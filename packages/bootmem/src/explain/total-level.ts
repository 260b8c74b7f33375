/** What `MemTotal` is made of: handed over by memblock, and given back later. */
import type { ExplainLevel } from '../explain-result.js';
import { LevelDraft } from '../accounts/base/level.js';
import type { RowInput } from '../accounts/base/level.js';
import { giganticPages, handedOver, lateBytes } from '../accounts/reserved/totals.js';
import type { RowKind } from '../accounts/base/row-kinds.js';
import type { Subject } from '../accounts/base/subject.js';

const HEAD = { id: 'total', title: 'MemTotal' } as const;

/** Words of `Freeing …` lines. */
const RETURNS: readonly (readonly [RegExp, RowKind])[] = [
  [/initrd/i, 'back-initrd'],
  [/boot services/i, 'back-boot-services'],
  [/kernel|init|SMP alternatives|decrypted/i, 'back-image'],
];

/**
 * The level.
 * @returns `undefined` where the log does not say what was handed over
 */
export function totalLevel(subject: Subject): ExplainLevel | undefined {
  const { plan, quote } = subject;
  const handed = handedOver(subject);
  if (handed === undefined) return undefined;
  const draft = new LevelDraft();
  draft.add({
    kind: 'handed-over',
    bytes: handed.bytes,
    how: 'printed',
    evidence: handed.evidence,
  });
  for (const row of returns(subject)) draft.add(row);
  const kb = plan.description.proc.meminfo?.['MemTotal'];
  const whole =
    kb === undefined
      ? {
          label: 'MemTotal, as far as the log goes',
          bytes: draft.named,
          evidence: [quote.formula('the sum of the rows; no /proc/meminfo is beside the log')],
        }
      : {
          label: 'MemTotal',
          bytes: kb * 1024,
          evidence: [quote.beside('meminfo', 0, `MemTotal: ${kb} kB`)],
        };
  return draft.finish(HEAD, whole);
}

function* returns({ plan, quote }: Subject): Generator<RowInput> {
  const { printed, memblock } = plan.description;
  const groups = new Map<RowKind, (typeof printed.freeing)[number][]>();
  for (const line of printed.freeing) {
    const kind = RETURNS.find(([words]) => words.test(line.what))?.[1] ?? 'back-other';
    groups.set(kind, [...(groups.get(kind) ?? []), line]);
  }
  for (const [kind, lines] of groups) {
    yield {
      kind,
      bytes: lines.reduce((sum, { kb }) => sum + kb, 0) * 1024,
      how: 'printed',
      evidence: lines.map(({ line, what, kb }) => quote.at(line, `Freeing ${what}: ${kb}K`)),
    };
  }
  const cmaKb = printed.memory?.partsKb['cma-reserved'] ?? 0;
  if (printed.memory !== undefined && cmaKb > 0) {
    const evidence = [quote.at(printed.memory.line, `Memory: … ${cmaKb}K cma-reserved`)];
    yield { kind: 'back-cma', bytes: cmaKb * 1024, how: 'printed', evidence };
  }
  for (const { pageBytes, preallocated, line } of giganticPages(plan)) {
    yield {
      kind: 'back-huge-pages',
      bytes: pageBytes * preallocated,
      how: 'printed',
      evidence: [quote.at(line, `${preallocated} huge pages of ${pageBytes} bytes`)],
    };
  }
  const late = memblock.operations.flatMap((one) => (one.op === 'free-late' ? [one] : []));
  if (late.length > 0) {
    yield {
      kind: 'back-memblock',
      bytes: lateBytes(plan, Infinity),
      how: 'printed',
      evidence: late.map((one) => quote.at(one.line, `late free by ${one.caller}`)),
    };
  }
}
