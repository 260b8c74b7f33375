/**
 * The columns of page descriptors. One descriptor is spread over parallel arrays, all by index:
 *
 *     state   1 byte    what the page is; for a head also the order   -+ all that initialising
 *     zone    1 byte    zone id                                       -+ a page touches
 *     links   8 bytes   next and previous block on a list (order < maximum); device page: driver word
 *     refs    4 bytes   references beyond what the state implies
 *     topLinks 8 bytes per largest block: the links of blocks of the maximum order
 *
 * 14 bytes a page and 8 per largest block. A free list of largest blocks would touch a new memory page of
 * `links` for every 512 descriptors; `topLinks` keeps their links together, so handing over a whole
 * machine's memory touches next to nothing. `state` and `zone` may lie in WebAssembly memory, for its
 * fill instruction. Nothing is ever cleared at creation: fresh shared memory is zero.
 */
import { MemmapError } from '../facts/errors.js';
import { arrayFill, type FillKernel, wasmFill } from './fill.js';
import { hasWasm, wasm, type WasmMemory } from './wasm-types.js';
import { allocateBuffer, canShare } from '../shared/words.js';

/** Where the columns live: WebAssembly memory, SharedArrayBuffer, or this thread only. */
export type StorageKind = 'wasm' | 'shared' | 'local';

/** The columns of all descriptors; index = slot * pagesPerSection + offset in the section. */
export interface Columns {
  readonly state: Uint8Array;
  readonly zone: Uint8Array;
  /** next at 2*index, previous at 2*index+1. */
  readonly links: Int32Array;
  /** next at 2*(index >> maxOrder), previous right after it. */
  readonly topLinks: Int32Array;
  readonly refs: Int32Array;
  /** One byte a pageblock, by index >> pageblockOrder. */
  readonly pageblocks: Uint8Array;
}

/** Buffers of the columns, as a handle carries them. */
export interface ColumnBuffers {
  readonly kind: StorageKind;
  /** Set for `wasm`. */
  readonly memory: WasmMemory | undefined;
  /** State bytes, then zone bytes. */
  readonly bytes: ArrayBufferLike;
  readonly links: ArrayBufferLike;
  readonly refs: ArrayBufferLike;
}

const WASM_PAGE = 65536;
const WASM_LIMIT = 2 ** 32;
/** From here on the speed of the fill instruction is worth a WebAssembly memory's address space. */
const WASM_FROM_PAGES = 2 ** 20;

/** Bytes of descriptor columns per page, largest-block links included, for blocks of `maxOrder`. */
export function columnBytesPerPage(maxOrder: number): number {
  return 1 + 1 + 8 + 4 + 8 / 2 ** maxOrder;
}

function wasmMemory(bytes: number): WasmMemory {
  const pages = Math.ceil(bytes / WASM_PAGE);
  try {
    return new (wasm().Memory)({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new MemmapError(
      'ERR_MEMMAP_STORAGE',
      `no WebAssembly memory of ${bytes} bytes`,
      { bytes },
      { cause },
    );
  }
}

/** Picks the storage for `auto`. */
export function chooseStorage(pages: number): StorageKind {
  if (!canShare()) return 'local';
  return hasWasm() && pages >= WASM_FROM_PAGES && 2 * pages <= WASM_LIMIT ? 'wasm' : 'shared';
}

/**
 * Reserves the columns of `pages` descriptors.
 * @throws ERR_MEMMAP_STORAGE when the platform refuses the size
 */
export function allocateColumns(kind: StorageKind, pages: number, maxOrder: number): ColumnBuffers {
  const shared = kind !== 'local';
  const memory = kind === 'wasm' ? wasmMemory(2 * pages) : undefined;
  return {
    kind,
    memory,
    bytes: memory?.buffer ?? allocateBuffer(2 * pages, shared),
    links: allocateBuffer(8 * pages + 8 * (pages / 2 ** maxOrder), shared),
    refs: allocateBuffer(4 * pages, shared),
  };
}

/** Views and fill kernels over column buffers. */
export function viewColumns(
  buffers: ColumnBuffers,
  pages: number,
  maxOrder: number,
  pageblocks: Uint8Array,
): { columns: Columns; fillState: FillKernel; fillZone: FillKernel } {
  const { bytes, memory } = buffers;
  const columns: Columns = {
    state: new Uint8Array(bytes, 0, pages),
    zone: new Uint8Array(bytes, pages, pages),
    topLinks: new Int32Array(buffers.links, 0, 2 * (pages / 2 ** maxOrder)),
    links: new Int32Array(buffers.links, 8 * (pages / 2 ** maxOrder), 2 * pages),
    refs: new Int32Array(buffers.refs, 0, pages),
    pageblocks,
  };
  if (memory === undefined) {
    return { columns, fillState: arrayFill(columns.state), fillZone: arrayFill(columns.zone) };
  }
  return { columns, fillState: wasmFill(memory, 0), fillZone: wasmFill(memory, pages) };
}
