/**
 * `crashkernel=`: which size counts, where it may lie.
 *
 * ```
 * 0 ───── 16 MiB ─────────────────────────────── 4 GiB ───────────────────── end of memory
 *   SIZE           ◀── first, from the top ──────  │  ◀── else here, and 256 MiB below 4 GiB
 *   SIZE,high                    then SIZE,low ──  │  ◀── first
 *   SIZE@START            exactly there, or not at all
 * ```
 * @kernel reserve_crashkernel, reserve_crashkernel_generic
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ByteSpan } from '../../explain-result.js';
import { asksOf } from '../releases.js';
import { giveBack, takeFor } from './wishes.js';
import type { NoModel, Wish, WishContext, WishOutcome } from './wishes.js';

const MIB = 2 ** 20;
const LOW_END = 2 ** 32;

/** What an architecture does. */
interface Rule {
  readonly align: number;
  /** Kept below 4 GiB where the rest lies above, unless `SIZE,low` says how much. */
  readonly lowDefault: number;
}

const RULES: Readonly<Record<string, Rule>> = {
  x86_64: { align: 16 * MIB, lowDefault: 256 * MIB },
  arm64: { align: 2 * MIB, lowDefault: 128 * MIB },
  riscv64: { align: 2 * MIB, lowDefault: 128 * MIB },
};

type Option = MachineDescription['options']['crashkernel'][number];

/** The size that an option means on a machine with so much memory; 0 when it means none. */
function crashkernelBytes({ size, steps }: Option, memory: number): number {
  if (steps === undefined) return size ?? 0;
  return steps.find(({ start, end = Infinity }) => memory >= start && memory < end)?.size ?? 0;
}

const noModel = (why: string): NoModel => ({ id: 'crashkernel', label: 'crash kernel', why });

/**
 * What the command line asks for.
 * @returns `undefined` when it asks for nothing
 */
export function crashkernelWish({
  options,
  architecture,
}: MachineDescription): Wish | NoModel | undefined {
  const all = options.crashkernel;
  if (all.length === 0) return undefined;
  const rule = RULES[architecture ?? 'x86_64'];
  if (rule === undefined) return noModel(`crashkernel= is not modelled for ${architecture}`);
  if (all.some(({ text }) => text === 'auto'))
    return noModel('crashkernel=auto is a distribution’s own rule');
  if (all.some(({ where }) => where === 'cma'))
    return noModel('crashkernel=SIZE,cma is not modelled');
  // The last one of each form counts; a plain size wins over SIZE,high.
  const plain = all.findLast(({ where }) => where === undefined);
  const high = all.findLast(({ where }) => where === 'high');
  const low = all.findLast(({ where }) => where === 'low');
  const main = plain ?? high;
  if (main === undefined) return undefined;
  const isHigh = plain === undefined;
  return {
    stage: 'nodes',
    reserve: (context) => {
      const bytes = crashkernelBytes(main, context.memblock.physMemSize);
      if (bytes === 0) return [];
      const lowBytes = isHigh && low !== undefined ? (low.size ?? 0) : rule.lowDefault;
      return reserve(context, { bytes, rule, isHigh, lowBytes, offset: main.offset });
    },
  };
}

interface Asked {
  readonly bytes: number;
  readonly rule: Rule;
  readonly isHigh: boolean;
  readonly lowBytes: number;
  readonly offset: number | undefined;
}

function reserve(context: WishContext, asked: Asked): WishOutcome[] {
  const { bytes, rule, lowBytes, offset } = asked;
  const outcome = (ranges: readonly ByteSpan[], failed?: string): WishOutcome => ({
    id: 'crashkernel',
    kind: 'crashkernel',
    label: 'crash kernel',
    asked: bytes,
    ranges,
    ...(failed === undefined ? {} : { failed }),
  });
  if (offset !== undefined && offset > 0) {
    const caller = 'reserve_crashkernel';
    const own = { size: bytes, align: MIB, from: offset, to: offset + bytes, caller };
    const found = takeFor(context, own);
    return [
      found === undefined
        ? outcome([], 'memory there is in use, or there is none')
        : outcome([found]),
    ];
  }
  const found = search(context, asked);
  if (found === undefined) return [outcome([], `no free stretch of ${bytes / MIB} MiB`)];
  if (found.start < LOW_END || lowBytes === 0) return [outcome([found])];
  const low = takeFor(context, {
    size: lowBytes,
    align: rule.align,
    to: LOW_END,
    caller: 'reserve_crashkernel_low',
  });
  if (low === undefined) {
    giveBack(context, found);
    return [outcome([], `no free stretch of ${lowBytes / MIB} MiB below 4 GiB for its low part`)];
  }
  return [
    outcome([found]),
    { ...outcome([low]), id: 'crashkernel low', label: 'crash kernel, low part', asked: lowBytes },
  ];
}

function search(context: WishContext, { bytes, rule, isHigh }: Asked): ByteSpan | undefined {
  const { crashFromAlign: fromAlign } = asksOf(context.plan.kernel.release);
  const caller = 'reserve_crashkernel';
  const own = { size: bytes, align: rule.align, caller };
  const below = { ...own, from: fromAlign ? rule.align : 0, to: LOW_END };
  const above = { ...own, from: fromAlign ? rule.align : LOW_END };
  return isHigh
    ? (takeFor(context, above) ?? takeFor(context, below))
    : (takeFor(context, below) ?? takeFor(context, above));
}
