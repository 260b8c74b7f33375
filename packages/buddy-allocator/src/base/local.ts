/**
 * Memory that is not shared belongs to the thread that made it. `postMessage` copies such buffers: an allocator over
 * the copy would hand out the same pages again. So the buffers of each thread are remembered, by identity, and a
 * handle over any other is refused. Shared memory needs no such list.
 */

/** The buffers of a handle that may be local. */
export interface LocalParts {
  readonly control: Int32Array;
  readonly memmap: { readonly table: ArrayBufferLike };
  readonly data?: ArrayBufferLike | BufferHolder | null;
}

/** A WebAssembly memory: which buffer it has changes, so it stands for itself. */
export interface BufferHolder {
  readonly buffer: ArrayBufferLike;
}

const known = new WeakSet();

const localBytes = lengthOf(ArrayBuffer);
// Where memory cannot be shared, the class may be missing.
const sharedBytes =
  typeof SharedArrayBuffer === 'undefined' ? undefined : lengthOf(SharedArrayBuffer);

/** The getter of the length of buffers of one kind; it looks at a slot that look-alikes have not. */
function lengthOf({ prototype }: { readonly prototype: object }): PropertyDescriptor | undefined {
  return Object.getOwnPropertyDescriptor(prototype, 'byteLength');
}

/** What it says of a value; undefined where the value has no such slot. */
function read(length: PropertyDescriptor | undefined, value: unknown): number | undefined {
  try {
    return length?.get?.call(value) as number | undefined;
  } catch {
    return undefined;
  }
}

/** Length of a buffer of either kind, of any realm; undefined for what is none. */
export function bufferBytes(value: unknown): number | undefined {
  return read(localBytes, value) ?? read(sharedBytes, value);
}

/** True for a buffer that several threads can see. */
export function isSharedMemory(value: unknown): boolean {
  return read(sharedBytes, value) !== undefined;
}

const partsOf = ({ control, memmap, data }: LocalParts): object[] =>
  [control.buffer, memmap.table, data ?? control.buffer].filter(
    (part) => read(localBytes, 'buffer' in part ? part.buffer : part) !== undefined,
  );

/** Remembers the local buffers of a handle that this thread has made. */
export function keepLocal(handle: LocalParts): void {
  for (const buffer of partsOf(handle)) known.add(buffer);
}

/**
 * Checks that the local buffers of a handle are this thread's own.
 * @param fail  makes the error to throw
 */
export function checkLocal(
  handle: LocalParts,
  fail: (message: string, details: Readonly<Record<string, unknown>>) => Error,
): void {
  if (partsOf(handle).every((buffer) => known.has(buffer))) return;
  throw fail('memory that is not shared can be used by the thread that made it only', {
    local: true,
  });
}
