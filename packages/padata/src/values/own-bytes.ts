/**
 * What a message takes along shares its shared memory, however deep it lies in the value: a view of a ring's bytes (a job's input,
 * what `output` gave) would show the next job's. In its place goes a copy, in the value itself, whose view is over with the job anyway;
 * where the value takes none (it is frozen, a getter gives the view) in a clone of it.
 */
import { isArenaMemory } from '../protocol/arena-parts.js';
import { NO_BYTES } from './job-bytes.js';
import type { JobBytes } from './job-bytes.js';
import { bufferOf, copyOf, elementBytes, isPart, ownView } from './views.js';

const { defineProperty, getOwnPropertyDescriptor } = Reflect;
const { getter: sizeOfMap, prototype: maps } = sized(Map);
const { getter: sizeOfSet, prototype: sets } = sized(Set);

/** Functions of this thread had views of a ring's memory: one of them may keep one, and any later job's result may hold it. */
let hasGiven = false;

/** A function gets a view of a ring's memory. */
export function noteGiven(): void {
  hasGiven = true;
}

/**
 * The value without views of a ring's memory: arrays, maps, sets, causes of errors and own properties, at any depth.
 * @param job whose value it is; undefined = nobody's that was given bytes
 * @throws TypeError for the memory itself, `input.buffer`, and for bytes that the job was not given; what reading or cloning the
 *   value throws
 */
export function withOwnBytes(value: unknown, job?: JobBytes): unknown {
  if (!hasGiven) return value;
  // A getter may give a view of them that nothing else in the value shows.
  const met = new Set<object>(job?.memory.arena.buffers);
  const first = new Replacement(job, (buffer) => {
    if (!isArenaMemory(buffer)) return undefined;
    met.add(buffer as object);
    return buffer as object;
  });
  const mine = first.of(value);
  if (!first.isRefused) return mine;
  // Nothing in a clone is frozen, and it has no getters. What is the rings' in it, the clones of their memory say.
  const theirs = [...met];
  const [clone, ...memory]: unknown[] = structuredClone([value, ...theirs]);
  const origins = new Map(memory.map((buffer, i) => [buffer, theirs[i]!]));
  return new Replacement(job, (buffer) => origins.get(buffer)).of(clone);
}

/**
 * What a message takes along of a value that is no transfer: as `withOwnBytes`, and of bytes that are a part of a buffer those alone,
 * as in a slot. A clone of them would have all of that buffer, or share it.
 */
export function toPost(value: unknown, job?: JobBytes): unknown {
  const own = withOwnBytes(value, job);
  return ArrayBuffer.isView(own) && isPart(own) ? copyOf(elementBytes(own)) : own;
}

/** Which memory of a ring it is, or is a clone of; undefined = none. */
type Origin = (buffer: unknown) => object | undefined;

/** One value's views, replaced. */
class Replacement {
  /** There is something in it that cannot be replaced. */
  isRefused = false;
  readonly #job: JobBytes | undefined;
  readonly #origin: Origin;
  /** Grows while it is gone through. */
  readonly #holders = new Set<object>();
  readonly #copies = new Map<object, object>();

  constructor(job: JobBytes | undefined, origin: Origin) {
    this.#job = job;
    this.#origin = origin;
  }

  of(value: unknown): unknown {
    const mine = this.#own(value);
    for (const holder of this.#holders) {
      if (hasSize(holder, sizeOfMap)) this.#inMap(holder as Map<unknown, unknown>);
      else if (hasSize(holder, sizeOfSet)) this.#inSet(holder as Set<unknown>);
      else this.#inProperties(holder);
    }
    return mine;
  }

  #own(part: unknown): unknown {
    if (typeof part !== 'object' || part === null) return part;
    if (ArrayBuffer.isView(part)) {
      const origin = this.#origin(bufferOf(part));
      return origin === undefined ? part : this.#copyOf(part, origin);
    }
    if (this.#origin(part) !== undefined) {
      throw new TypeError('it holds the memory of all jobs: take the view, not its buffer');
    }
    this.#holders.add(part);
    return part;
  }

  /** One that is met twice stays one. */
  #copyOf(view: ArrayBufferView, origin: object): object {
    const known = this.#copies.get(view);
    if (known !== undefined) return known;
    if (!(this.#job ?? NO_BYTES).mayCopy(view, origin)) {
      throw new TypeError("it holds bytes of the memory of all jobs that were not this job's");
    }
    const copy = ownView(view);
    this.#copies.set(view, copy);
    return copy;
  }

  #inProperties(holder: object): void {
    for (const key of Object.keys(holder)) this.#inProperty(holder, key);
    // A clone has it, though it is not enumerable.
    if (holder instanceof Error && Object.hasOwn(holder, 'cause'))
      this.#inProperty(holder, 'cause');
  }

  #inProperty(holder: object, key: string): void {
    const known = getOwnPropertyDescriptor(holder, key);
    if (known === undefined) return;
    // What a getter gives, it may make anew each time.
    if (!Object.hasOwn(known, 'value')) {
      this.isRefused = true;
      return;
    }
    const mine = this.#own(known.value);
    if (mine === known.value) return;
    if (!defineProperty(holder, key, { __proto__: null, value: mine } as PropertyDescriptor))
      this.isRefused = true;
  }

  #inMap(map: Map<unknown, unknown>): void {
    const entries: (readonly [unknown, unknown, unknown, unknown])[] = [];
    maps.forEach.call(map, (part, key) => {
      entries.push([key, part, this.#own(key), this.#own(part)]);
    });
    if (entries.every(([key, part, ownKey, ownPart]) => key === ownKey && part === ownPart)) return;
    maps.clear.call(map);
    for (const [, , key, part] of entries) maps.set.call(map, key, part);
  }

  #inSet(set: Set<unknown>): void {
    const parts: (readonly [unknown, unknown])[] = [];
    sets.forEach.call(set, (part) => {
      parts.push([part, this.#own(part)]);
    });
    if (parts.every(([part, mine]) => part === mine)) return;
    sets.clear.call(set);
    for (const [, mine] of parts) sets.add.call(set, mine);
  }
}

type Getter = (this: unknown) => number;
/** A kind of collection as the language has it: a program's own subclass may do otherwise. */
function sized<T extends { prototype: object }>(
  kind: T,
): { getter: Getter; prototype: T['prototype'] } {
  const { get } = Object.getOwnPropertyDescriptor(kind.prototype, 'size') as { get: Getter };
  return { getter: get, prototype: kind.prototype };
}

/** Is it one of these collections, of any realm? */
function hasSize(holder: object, getter: Getter): boolean {
  if (!(Symbol.iterator in holder) || Array.isArray(holder)) return false;
  try {
    return getter.call(holder) >= 0;
  } catch {
    return false;
  }
}
