/** Checks of a mapping request, before anything is changed, in the order in which kernels make them. */
import { PageInitError } from '../base/errors.js';
import type { PagemapType } from '../profiles.js';
import type { AltmapRequest } from './altmap.js';
import type { PagemapRequest, PageProtection } from './types.js';
import { checkFields } from '../base/check.js';

/** Largest compound page, as log2 of 4 KiB pages: 1 GiB. */
const MAX_VMEMMAP_SHIFT = 18;

/** What a type of device memory needs and gets. */
export interface TypeRule {
  /** Needs an owner and a way to free folios. */
  readonly owned: boolean;
  /** Needs a way back to ordinary memory. */
  readonly migrates: boolean;
  /** Mapped into the kernel; private memory is not. */
  readonly linear: boolean;
  readonly protection: PageProtection;
  /** Holds bulk references for its pages. */
  readonly bulk: boolean;
}

/** The rule of each type. */
export const TYPE_RULES: Readonly<Record<PagemapType, TypeRule>> = {
  private: { owned: true, migrates: true, linear: false, protection: 'normal', bulk: false },
  coherent: { owned: true, migrates: false, linear: true, protection: 'normal', bulk: false },
  'fs-dax': { owned: false, migrates: false, linear: true, protection: 'decrypted', bulk: true },
  generic: { owned: false, migrates: false, linear: true, protection: 'normal', bulk: true },
  'pci-p2pdma': { owned: false, migrates: false, linear: true, protection: 'uncached', bulk: true },
};

/** @throws ERR_DEVICE_ARGUMENT (EINVAL) for a request that can never be mapped */
export function checkRequest(request: PagemapRequest): void {
  checkFields('request', request, { ranges: 'array' }, 'ERR_DEVICE_ARGUMENT');
  const refuse = (fact: string): never => {
    throw new PageInitError('ERR_DEVICE_ARGUMENT', fact, { name: request.name, errno: 'EINVAL' });
  };
  if (request.ranges.length === 0) refuse('a mapping has at least one range');
  const shift = request.vmemmapShift ?? 0;
  if (!Number.isInteger(shift) || shift < 0 || shift > MAX_VMEMMAP_SHIFT) {
    refuse(`vmemmapShift is 0..${MAX_VMEMMAP_SHIFT}`);
  }
  const rule = (TYPE_RULES as Readonly<Record<string, TypeRule | undefined>>)[request.type];
  if (rule === undefined) return refuse('unknown type of device memory');
  if (rule.migrates && request.ops?.migrateToRam === undefined)
    refuse('private memory needs migrateToRam');
  if (rule.owned && request.ops?.folioFree === undefined) refuse('this type needs folioFree');
  if (rule.owned && request.owner === undefined) refuse('this type needs an owner');
  if (request.altmap !== undefined && request.ranges.length > 1) {
    refuse('an altmap serves one range only');
  }
  const folio = 2 ** shift;
  for (const { startPfn, endPfn } of request.ranges) {
    if (!(Number.isSafeInteger(startPfn) && startPfn >= 0 && startPfn < endPfn)) {
      refuse('a range is [startPfn, endPfn), not empty');
    }
    const offset = request.altmap === undefined ? 0 : offsetOf(request.altmap);
    if (!(offset <= endPfn - startPfn)) {
      refuse('altmap.reserve and altmap.free are counts of pages that fit into the range together');
    }
    const first = startPfn + offset;
    if (first % folio !== 0 || endPfn % folio !== 0) {
      refuse('both ends of the device pages are aligned to the compound page');
    }
  }
}

/** Pages before the first device page; NaN when they are no counts. */
function offsetOf({ reserve, free }: AltmapRequest): number {
  const counts = [reserve, free].every((n) => Number.isSafeInteger(n) && n >= 0);
  return counts ? reserve + free : Number.NaN;
}

/** How pages are made in the background. @throws ERR_DEVICE_ARGUMENT */
export function checkBackground(options: unknown): void {
  const refuse = (fact: string): never => {
    throw new PageInitError('ERR_DEVICE_ARGUMENT', fact, { errno: 'EINVAL' });
  };
  if (typeof options !== 'object' || options === null) return refuse('options are an object');
  const { runner, maxThreads = 1 } = options as { runner?: unknown; maxThreads?: unknown };
  if (runner !== undefined && typeof runner !== 'function') refuse('runner is a function');
  if (!(Number.isSafeInteger(maxThreads) && (maxThreads as number) >= 1))
    refuse('maxThreads is a count, 1 or more');
}
