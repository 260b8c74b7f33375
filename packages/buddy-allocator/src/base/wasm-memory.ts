/**
 * WebAssembly memory as the managed memory: it grows, and the buffer that stands for it is replaced each time.
 *
 *     not shared   the old buffer is detached: it, and all views of it, are empty; offsets stay right
 *     shared       the old buffer stays as long as it was: its views are right, and reach less far
 *
 * So nobody here keeps a buffer of such a memory: each use asks for the present one. In another thread, an engine may show the
 * buffer of before for a while; growing by nothing makes it look again.
 */
import { isSharedMemory } from './local.js';

/** What is used of a `WebAssembly.Memory`; typed by hand, as the standard library has it for browsers only. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  /** @returns pages of 64 KiB before @throws RangeError when it does not get so large */
  grow(pages: number): number;
}

/** Bytes by which a memory grows. */
const WASM_PAGE = 65_536;

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
  memory.grow(0);
  return memory.buffer;
}

/**
 * Grows a memory to `bytes` bytes, or as far as it gets.
 * @returns its bytes
 */
export function growTo(memory: WasmMemory, bytes: number): number {
  let there = presentBuffer(memory, bytes).byteLength;
  for (let step = Infinity; there < bytes && step >= 1;) {
    step = Math.min(step, Math.ceil((bytes - there) / WASM_PAGE));
    try {
      memory.grow(step);
      there = memory.buffer.byteLength;
    } catch (error) {
      // At its maximum, or at what the machine has: less, then. By its name, as the memory may be of another realm.
      if ((error as Error | undefined)?.name !== 'RangeError') throw error;
      step = Math.floor(step / 2);
    }
  }
  return there;
}
