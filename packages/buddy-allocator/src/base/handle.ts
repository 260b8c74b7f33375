/**
 * What the handles of both allocators must be, and that their parts fit together: the checks of `attach`.
 *
 *     handle ── memmap        checked by memmap's format, error of this package
 *            ── threads       likewise
 *            ── control       header, zones and caches of the sizes that the header states
 *            ── data, zones   what only one of the two has
 */
import { type Memmap, ZONE_NAMES } from '@bootmem/memmap';
import {
  type BufferNeed,
  checkHandle,
  type HandleFormat,
  MEMMAP_FORMAT,
  type ThreadRegistry,
  THREADS_FORMAT,
} from '@bootmem/memmap/shared';

import { stackLayout } from './cache-layout.js';
import { controlWords, Header, MAGIC, VERSION, Zone, zoneAt } from './control-layout.js';
import { BuddyError } from './errors.js';
import { type BufferHolder, checkLocal, type LocalParts } from './local.js';
import { isWasmMemory, presentBuffer } from './wasm-memory.js';

type Fields = Readonly<Record<string, unknown>>;

const TWO_32 = 2 ** 32;

/** More zones than any machine has: 1024 nodes of 6. */
const MAX_ZONES = 6144;
const MAX_THREADS = 32000;
/** No list holds more. */
const MAX_SHARE = 2 ** 31 - 1;

/** Page number in two words, low first. */
export const pfnAt = (words: Int32Array, at: number): number =>
  words[at + 1]! * TWO_32 + (words[at]! >>> 0);

const common = {
  header: { field: 'control', as: 'words' },
  magic: MAGIC,
  version: VERSION,
  headerWords: Header.WORDS,
  parts: { memmap: MEMMAP_FORMAT, threads: THREADS_FORMAT },
} as const;

/** The control array that the header asks for. */
function controlNeed(words: Int32Array): BufferNeed | string {
  const zones = words[Header.ZONES]!;
  const threads = words[Header.THREADS]!;
  const counted = zones >= 1 && zones <= MAX_ZONES && threads >= 1 && threads <= MAX_THREADS;
  if (!counted) return `it is for ${zones} zones and ${threads} threads`;
  const cacheShare = words[Header.CACHE_SHARE]!;
  const shared = cacheShare >= 0 && cacheShare <= MAX_SHARE;
  if (!shared || words[Header.CACHE_WORDS] !== stackLayout(cacheShare).words) {
    return `its page caches are for ${cacheShare} pages`;
  }
  const pageblocks = words[Header.PAGEBLOCKS]!;
  if (pageblocks < 1) return `it is for ${pageblocks} pageblocks`;
  const owned = words[Header.OWNED]!;
  if (owned < 0) return `${owned} pages have owners`;
  const sizes = { zones, threads, cacheShare, pageblocks, owned };
  return { field: 'control', as: 'words', bytes: 4 * controlWords(sizes) };
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Format of the handle of a page pool; also for handles that have one inside. */
export const ALLOCATOR_FORMAT: HandleFormat = {
  ...common,
  type: 'bootmem.buddy-allocator',
  needs: (words, { data, dataOffset }) => {
    const control = controlNeed(words);
    if (typeof control === 'string') return control;
    if (words[Header.ZONES] !== 1) return 'it has more than one zone';
    if (!isCount(dataOffset)) return 'dataOffset is no number of bytes';
    if (data === null) return [control];
    // What a memory has by now is looked at when its pages are known: `checkTogether`.
    const field = isWasmMemory(data) ? 'data.buffer' : 'data';
    return [control, { field, bytes: field === 'data' ? (dataOffset as number) : 0 }];
  },
};

const isZone = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  isCount((value as Fields)['nid']) &&
  (ZONE_NAMES as readonly unknown[]).includes((value as Fields)['zone']);

const MACHINE_FORMAT: HandleFormat = {
  ...common,
  type: 'bootmem.page-allocator',
  needs: (words, { zones, workers, release }) => {
    const control = controlNeed(words);
    if (typeof control === 'string') return control;
    if (!Array.isArray(zones) || zones.length !== words[Header.ZONES] || !zones.every(isZone)) {
      return `zones does not name ${words[Header.ZONES]} zones`;
    }
    if (!isCount(workers)) return 'workers is no count';
    return typeof release === 'string' ? [control] : 'release is no text';
  },
};

/** The error for what is no handle of this package. */
export const handleError = (message: string, details: Fields): BuddyError =>
  new BuddyError('ERR_BUDDY_HANDLE', message, details);

/** @throws ERR_BUDDY_HANDLE unless it is a whole handle of a shared page pool */
export function checkAllocatorHandle(handle: unknown): void {
  checkHandle(handle, ALLOCATOR_FORMAT, handleError);
  checkLocal(handle as LocalParts, handleError);
}

/** @throws ERR_BUDDY_HANDLE unless it is a whole handle of a machine's page allocator */
export function checkMachineHandle(handle: unknown): void {
  checkHandle(handle, MACHINE_FORMAT, handleError);
  checkLocal(handle as LocalParts, handleError);
}

/** The managed memory of a handle, from a byte of it on. */
export interface HandleData {
  readonly data: ArrayBufferLike | BufferHolder | null;
  readonly dataOffset: number;
}

/** Memory that grows has the bytes of the pages that are online, any other those of all pages there can be. */
function hasBytes({ data, dataOffset }: HandleData, online: number, all: number): boolean {
  if (data === null) return true;
  if (!isWasmMemory(data)) return (data as ArrayBufferLike).byteLength - dataOffset >= all;
  return presentBuffer(data, dataOffset + online).byteLength - dataOffset >= online;
}

/**
 * That control words, descriptors, registry and data are of one allocator.
 * @throws ERR_BUDDY_HANDLE with the sizes that differ
 */
export function checkTogether(
  words: Int32Array,
  memmap: Memmap,
  registry: ThreadRegistry,
  data?: HandleData,
): void {
  const threads = words[Header.THREADS]!;
  if (registry.maxThreads !== threads) {
    throw handleError(`caches for ${threads} threads, a registry of ${registry.maxThreads}`, {
      threads,
      registered: registry.maxThreads,
    });
  }
  const pageblocks = memmap.columns().pageblocks.length;
  if (words[Header.PAGEBLOCKS] !== pageblocks) {
    throw handleError(`words for ${words[Header.PAGEBLOCKS]} pageblocks of ${pageblocks}`, {
      pageblocks,
      counted: words[Header.PAGEBLOCKS],
    });
  }
  for (let zone = 0; zone < words[Header.ZONES]!; zone++) {
    const startPfn = pfnAt(words, zoneAt(zone) + Zone.START_LOW);
    const endPfn = pfnAt(words, zoneAt(zone) + Zone.END_LOW);
    const pageSize = 2 ** memmap.geometry.pageShift;
    const present = words[zoneAt(zone) + Zone.PRESENT]!;
    const there = data === undefined || hasBytes(data, present * pageSize, endPfn * pageSize);
    const owned = words[Header.OWNED] === 0 || words[Header.OWNED]! >= endPfn;
    const inside = startPfn >= memmap.startPfn && endPfn <= memmap.endPfn && startPfn <= endPfn;
    if (startPfn === endPfn || (inside && owned && there)) continue;
    throw handleError(`zone ${zone} lies outside the descriptors or the data`, {
      zone,
      startPfn,
      endPfn,
      mapStart: memmap.startPfn,
      mapEnd: memmap.endPfn,
    });
  }
}
