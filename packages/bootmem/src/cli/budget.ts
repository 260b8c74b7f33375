/**
 * How the memory that a command may use (`--limit`) is divided:
 *
 * ```
 * limit │ 1/4 heap: records, plans, text │ 1/2 descriptors that a boot touches │ 1/4 the program, its threads, reserve │
 * ```
 */
import { totalmem } from 'node:os';

/** Least `--limit`, bytes. */
export const LEAST_LIMIT = 2 ** 28;

/** More heap than this makes nothing possible that is impossible with it: lists of records are bounded. */
const MOST_HEAP = 2 ** 32;

/** The limit where none is given, bytes: three quarters of the memory that this process may have. */
export function defaultLimit(): number {
  // 0 where nothing constrains it; as large as an address where a control group has no limit.
  const constrained = process.constrainedMemory();
  const total = totalmem();
  const most = constrained > 0 && constrained < total ? constrained : total;
  return Math.max(LEAST_LIMIT, Math.floor((3 * most) / 4));
}

/** Heap of the command's thread, bytes. */
export function heapLimit(limit: number): number {
  return Math.min(MOST_HEAP, Math.floor(limit / 2 ** 22) * 2 ** 20);
}

/** What a boot may touch for page descriptors, bytes. */
export function bootLimit(limit: number = defaultLimit()): number {
  return Math.floor(limit / 2);
}

/**
 * The limit that arguments ask for, before they are parsed: the thread that parses them is started with it.
 * @returns bytes; the default where there is none, or none that parsing will accept
 */
export function limitIn(args: readonly string[]): number {
  const at = args.findIndex((word) => /^--limit(?:=|$)/.test(word));
  const text = at < 0 ? undefined : (/^--limit=(.*)$/.exec(args[at]!)?.[1] ?? args[at + 1]);
  const bytes = sizeIn(text ?? '');
  return bytes === undefined || bytes < LEAST_LIMIT ? defaultLimit() : bytes;
}

const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/**
 * A size in bytes, as the kernel's command line takes it.
 * @returns undefined for what is none, 0, or more than a safe integer
 */
export function sizeIn(text: string): number | undefined {
  const match = /^(0x[\da-f]+|\d+)([kmgt]?)$/i.exec(text);
  const bytes = Number(match?.[1] ?? NaN) * (SUFFIX[(match?.[2] ?? '').toLowerCase()] ?? NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
