/**
 * What a message takes along shares its shared memory, however deep it lies in the value: a view of the job's own bytes (its input,
 * what `output` gave) would show the next job's. In its place goes a copy, in the value itself, whose view is over with the job anyway.
 */
import type { RingMemory } from '../protocol/ring-layout.js';

type Arena = RingMemory['arena'];

/**
 * The value without views of the arena: arrays, maps, sets and own properties, at any depth.
 * @throws TypeError when a view lies where it cannot be replaced, or for the arena itself, `input.buffer`
 */
export function withOwnBytes(value: unknown, arena: Arena): unknown {
  const seen = new Set<object>();
  const own = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (ArrayBuffer.isView(part)) return ownView(part, arena);
    if (arena.has(part as ArrayBufferLike)) refuse();
    seen.add(part);
    return part;
  };
  const mine = own(value);
  // It grows while it is gone through.
  for (const holder of seen) {
    if (holder instanceof Map) replaceInMap(holder, own);
    else if (holder instanceof Set) replaceInSet(holder, own);
    else replaceProperties(holder as Record<string, unknown>, own);
  }
  return mine;
}

function refuse(): never {
  throw new TypeError('it holds the memory of all jobs: take the view, not its buffer');
}

type Own = (part: unknown) => unknown;

function replaceProperties(holder: Record<string, unknown>, own: Own): void {
  for (const key of Object.keys(holder)) {
    const part = holder[key];
    const mine = own(part);
    if (mine !== part) holder[key] = mine;
  }
}

function replaceInMap(map: Map<unknown, unknown>, own: Own): void {
  const entries = [...map].map(([key, part]) => [key, part, own(key), own(part)] as const);
  if (entries.every(([key, part, ownKey, ownPart]) => key === ownKey && part === ownPart)) return;
  map.clear();
  for (const [, , key, part] of entries) map.set(key, part);
}

function replaceInSet(set: Set<unknown>, own: Own): void {
  const parts = [...set];
  const mine = parts.map(own);
  if (mine.every((part, i) => part === parts[i])) return;
  set.clear();
  for (const part of mine) set.add(part);
}

/** A view of bytes of its own, if it is one of the arena. */
function ownView(view: ArrayBufferView, arena: Arena): ArrayBufferView {
  if (!arena.has(view.buffer)) return view;
  const bytes = new Uint8Array(view.byteLength);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  if (view instanceof DataView) return new DataView(bytes.buffer);
  if (view instanceof Uint8Array) return bytes;
  const Kind = view.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
  return new Kind(bytes.buffer);
}
