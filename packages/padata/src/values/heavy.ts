/**
 * Whether a value nests deeply or holds long buffers. One that does not can be read wherever it could be written: reading a clone
 * takes more of the stack than writing it, and more memory, and neither shows before.
 */

/** Objects in each other, at most, in a light value. */
const MOST_LEVELS = 50;
/** Members, entries and elements that are looked at: of a value with more one does not know how deep it is. */
const MOST_PARTS = 4000;
/** Bytes of each of its buffers, at most. */
const MOST_BYTES = 65_536;

/** May some thread be unable to read a clone of this value? Looks at `MOST_PARTS` parts at most. Runs getters. */
export function isHeavy(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return goesFar([value]);
  } catch {
    // Whoever clones it finds the same.
    return true;
  }
}

/** Level by level: an object that is met twice is looked at twice, so a cycle goes far. */
function goesFar(value: object[]): boolean {
  let room = MOST_PARTS;
  let level = value;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) return true;
    const next: object[] = [];
    for (const holder of level) {
      const { byteLength } = holder as { readonly byteLength?: unknown };
      if (typeof byteLength === 'number' && byteLength > MOST_BYTES) return true;
      if (ArrayBuffer.isView(holder)) continue;
      room -= Array.isArray(holder) ? holder.length : 0;
      if (room < 0) return true;
      room -= addParts(holder, next);
      if (room < 0) return true;
    }
    level = next;
  }
  return false;
}

/** Adds the objects that lie in an object, as its clone has them. @returns how many parts it has, an array's elements not among them */
function addParts(holder: object, to: object[]): number {
  const add = (part: unknown): void => {
    if (typeof part === 'object' && part !== null) to.push(part);
  };
  if (Symbol.iterator in holder && !Array.isArray(holder)) {
    const size = addEntries(holder, add);
    if (size !== undefined) return size;
  }
  if (Array.isArray(holder)) {
    for (const part of Object.values(holder) as unknown[]) add(part);
    return 0;
  }
  let parts = 0;
  // What is inherited is looked at in vain; to ask whose it is costs more than all of the rest.
  for (const key in holder) {
    parts += 1;
    add((holder as Record<string, unknown>)[key]);
  }
  // A clone has it, though it is not enumerable.
  if (holder instanceof Error) add(holder.cause);
  return parts;
}

/** The same of a map or a set, of any realm; undefined = it is neither. */
function addEntries(holder: object, add: (part: unknown) => void): number | undefined {
  if (holder instanceof Map) return addMap(holder, add);
  if (holder instanceof Set) return addSet(holder, add);
  try {
    return addMap(holder as Map<unknown, unknown>, add);
  } catch {
    // No map.
  }
  try {
    return addSet(holder as Set<unknown>, add);
  } catch {
    return undefined;
  }
}

function addMap(map: Map<unknown, unknown>, add: (part: unknown) => void): number {
  let parts = 0;
  Map.prototype.forEach.call(map, (part, key) => {
    parts += 2;
    add(key);
    add(part);
  });
  return parts;
}

function addSet(set: Set<unknown>, add: (part: unknown) => void): number {
  let parts = 0;
  Set.prototype.forEach.call(set, (part) => {
    parts += 1;
    add(part);
  });
  return parts;
}
