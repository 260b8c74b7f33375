/**
 * WebAssembly memory as the managed memory: it grows, and the buffer that stands for it is replaced each time.
 *
 *     not shared   the old buffer is detached: it, and all views of it, are empty; offsets stay right
 *     shared       the old buffer stays as long as it was: its views are right, and reach less far
 *
 * So nobody here keeps a buffer of such a memory: each use asks for the present one. In another thread, an engine may show the
 * buffer of before for a while; growing by nothing makes it look again.
 */
import { bufferBytes, isSharedMemory } from './local.js';

/** What is used of a `WebAssembly.Memory`; typed by hand, as the standard library has it for browsers only. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  /**
   * @param pages  of 64 KiB; a BigInt where addresses have 64 bits
   * @returns pages before @throws RangeError when it does not get so large
   */
  grow(pages: number | bigint): number | bigint;
}

/** Bytes by which a memory grows. */
const WASM_PAGE = 65_536;
/** Most pages that one growth can ask for: with more, an engine says that the number is none. */
const MOST_PAGES = 2 ** 32 - 1;

const bufferOf = ((): PropertyDescriptor | undefined => {
  const { WebAssembly: api } = globalThis as { WebAssembly?: { Memory: { prototype: object } } };
  return api && Object.getOwnPropertyDescriptor(api.Memory.prototype, 'buffer');
})();

/** True for a memory of any realm, and for nothing that only looks like one. */
export function isWasmMemory(value: unknown): value is WasmMemory {
  if (bufferOf?.get === undefined) return false;
  try {
    bufferOf.get.call(value);
    return true;
  } catch {
    // TypeError: the value has no such slot.
    return false;
  }
}

/** The present buffer, which has `bytes` bytes if the memory has. */
export function presentBuffer(memory: WasmMemory, bytes: number): ArrayBufferLike {
  const { buffer } = memory;
  // One that is not shared has grown in this thread or not at all, and is detached even by nothing.
  if (buffer.byteLength >= bytes || !isSharedMemory(buffer)) return buffer;
  growBy(memory, 0);
  return memory.buffer;
}

/** Bytes of the present buffer; 0 for what a program has put in its place, and is none. */
function bytesOf(memory: WasmMemory): number {
  return bufferBytes(memory.buffer) ?? 0;
}

/** Grows by so many pages. @throws what the memory throws */
function growBy(memory: WasmMemory, pages: number): void {
  try {
    memory.grow(pages);
  } catch (error) {
    if ((error as Error | undefined)?.name !== 'TypeError') throw error;
    try {
      memory.grow(BigInt(pages));
    } catch (second) {
      throw (second as Error | undefined)?.name === 'RangeError' ? second : error;
    }
  }
}

/** As {@link growBy}; false when there is no more. A program's own way of growing may say so by doing nothing. */
function hasGrown(memory: WasmMemory, pages: number): boolean {
  const before = bytesOf(memory);
  try {
    growBy(memory, pages);
  } catch (error) {
    // At its maximum, or at what the machine has. By its name, as the memory may be of another realm.
    if ((error as Error | undefined)?.name !== 'RangeError') throw error;
    return false;
  }
  return bytesOf(memory) > before;
}

/**
 * Grows a memory to `bytes` bytes, or as far as it gets.
 * @returns its bytes
 */
export function growTo(memory: WasmMemory, bytes: number): number {
  let there = presentBuffer(memory, bytes).byteLength;
  for (let step = MOST_PAGES; there < bytes && step >= 1;) {
    step = Math.min(step, Math.ceil((bytes - there) / WASM_PAGE));
    if (!hasGrown(memory, step)) step = Math.floor(step / 2);
    there = bytesOf(memory);
  }
  return there;
}

/**
 * Grows a memory to `bytes` bytes, or not at all.
 * @returns its bytes
 */
export function growWhole(memory: WasmMemory, bytes: number): number {
  const there = presentBuffer(memory, bytes).byteLength;
  const missing = Math.ceil((bytes - there) / WASM_PAGE);
  if (missing > 0 && missing <= MOST_PAGES) hasGrown(memory, missing);
  return bytesOf(memory);
}
