/**
 * Worker masks: which workers may do what, their arithmetic and their text.
 *
 * Ids are small integers; 0 is the owner of the pool. A mask is an ascending list without repetition.
 * Source: behaviour of the kernel's padata instances, Documentation/core-api/padata.rst.
 */
import { PadataError, checkInteger } from '../base/errors.js';
import { checkKind } from '../base/options.js';

/** Which mask. */
export type MaskKind = 'parallel' | 'serial';

/** Ascending ids. */
export type WorkerMask = readonly number[];

/**
 * A checked mask from any ids.
 * @param last highest id allowed
 * @throws ERR_PADATA_ARGUMENT
 */
export function workerMask(ids: Iterable<number>, last: number): WorkerMask {
  checkKind('workers', ids, 'a list');
  const set = new Set<number>();
  for (const id of ids) {
    checkInteger('worker', id, 0, last);
    set.add(id);
  }
  return [...set].sort((a, b) => a - b);
}

/** Ids in both masks. */
export function intersect(a: WorkerMask, b: ReadonlySet<number>): WorkerMask {
  return a.filter((id) => b.has(id));
}

/**
 * The serial worker that a job gets: the wanted one if the mask has it, else the
 * (wanted modulo number of workers)-th of the mask.
 * @param wanted any integer, taken as unsigned 32-bit
 * @param mask   serial workers of the shell's current generation
 * @returns undefined when the mask is empty
 * @kernel padata_do_parallel
 */
export function serialWorkerFor(wanted: number, mask: WorkerMask): number | undefined {
  if (mask.length === 0 || mask.includes(wanted)) return mask.length === 0 ? undefined : wanted;
  return mask[(wanted >>> 0) % mask.length];
}

/**
 * Mask as text: hexadecimal words of 32 bits, highest first, separated by commas.
 * @param bits number of possible ids; decides the length
 */
export function formatMask(mask: WorkerMask, bits: number): string {
  const words: string[] = [];
  for (let low = 0; low < bits; low += 32) {
    let word = 0;
    for (const id of mask) if (id >= low && id < low + 32) word |= 1 << (id - low);
    const digits = Math.ceil(Math.min(32, bits - low) / 4);
    words.unshift((word >>> 0).toString(16).padStart(digits, '0'));
  }
  return words.join(',');
}

/**
 * Reads what `formatMask` writes; leading words may be missing.
 * @throws ERR_PADATA_ARGUMENT for anything else
 */
export function parseMask(text: string): WorkerMask {
  const words = text.trim().split(',');
  if (!words.every((word) => /^[0-9a-f]{1,8}$/i.test(word))) {
    throw new PadataError('ERR_PADATA_ARGUMENT', `not a mask of hexadecimal words: "${text}"`, {
      text,
    });
  }
  const ids: number[] = [];
  words.reverse().forEach((word, index) => {
    const value = Number.parseInt(word, 16);
    for (let bit = 0; bit < 32; bit += 1) {
      if ((value >>> bit) & 1) ids.push(index * 32 + bit);
    }
  });
  return ids;
}
