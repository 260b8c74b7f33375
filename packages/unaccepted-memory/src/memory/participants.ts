/**
 * The threads that take part: ids, who is alive, and what each announces.
 *
 * Ids and lives are the house's registry (`ThreadRegistry` of `@bootmem/memmap/shared`): a thread has ended when the one
 * that started it says so (`markDead`) or the operating system does (Linux), never because it has been silent. What
 * threads announce is beside it, in words of the accept state.
 */
import { ThreadRegistry } from '@bootmem/memmap/shared';
import { checkInteger } from '../base/check.js';
import { AcceptError } from '../base/errors.js';
import { Announcements } from './announcements.js';
import type { Announcement, WorkKind } from './announcements.js';
import { WORD } from './layout.js';
import type { StateViews } from './layout.js';

/** Rebuilds an error of the registry as one of this package. */
function asAcceptError(cause: unknown, slots: number): unknown {
  const { code } = cause as { readonly code?: string };
  if (code === 'ERR_THREADS_FULL') {
    return new AcceptError(
      'ERR_ACCEPT_PARTICIPANTS',
      `all ${slots} participant slots are taken`,
      { slots },
      { cause },
    );
  }
  if (code === 'ERR_THREADS_RESERVED') {
    return new AcceptError('ERR_ACCEPT_ARGUMENT', 'the participant is not reserved', {}, { cause });
  }
  return cause;
}

/** What is asked of a tag; a word that is no tag of this registry names nobody. */
function ended(ask: () => boolean): boolean {
  try {
    return ask();
  } catch {
    return true;
  }
}

/** Participants as one thread sees them. */
export class Participants {
  /** Who is alive. */
  readonly registry: ThreadRegistry;
  /** What they announce. */
  readonly announcements: Announcements;
  /** How many there can be; ids are 1 to this. */
  readonly count: number;

  /** @param views  the shared words, and the registry's beside them */
  constructor(views: StateViews) {
    this.registry = ThreadRegistry.attach(views.threads);
    this.count = this.registry.maxThreads;
    this.announcements = new Announcements(Atomics, {
      words: views.words,
      at: WORD.FIRST_SLOT,
      count: this.count,
      hasEnded: (tag) => this.hasEnded(tag),
    });
  }

  /** Takes an id for a thread that is yet to start. @throws ERR_ACCEPT_PARTICIPANTS when all are taken */
  reserve(): number {
    const reserved = this.#translated(() => this.registry.reserve());
    this.announcements.reset(reserved);
    return reserved;
  }

  /**
   * Makes an id the calling thread's: the one reserved for it, or any.
   * @throws ERR_ACCEPT_PARTICIPANTS when all are taken; ERR_ACCEPT_ARGUMENT when `id` is not reserved
   */
  join(id?: number): number {
    const joined = this.#translated(() => this.registry.register(id));
    this.announcements.reset(joined);
    return joined;
  }

  /** Gives the id back; the thread announces nothing. */
  leave(id: number): void {
    this.registry.unregister(id);
  }

  /** Tag of a participant. */
  tag(id: number): number {
    return this.registry.tagOf(id);
  }

  /** True when the thread of this tag left or is known to have ended; for good. */
  hasEnded(tag: number): boolean {
    return ended(() => this.registry.hasEnded(tag));
  }

  /** The same, after asking the operating system. About 10 µs while the thread lives. */
  proveEnded(tag: number): boolean {
    return ended(() => this.registry.proveEnded(tag));
  }

  /** As {@link Announcements.find}; those who announce it are asked for first: who has ended does not count. */
  findProven(work: WorkKind, start: number, end: number, but = 0): Announcement | undefined {
    for (;;) {
      const found = this.announcements.find(work, start, end, but);
      if (found === undefined || !this.proveEnded(found.tag)) return found;
    }
  }

  /** True while the thread of an id neither left nor is known to have ended. @param ask  asks the system as well */
  isAlive(id: number, ask: boolean): boolean {
    if (ask) this.registry.findEnded([id]);
    return this.registry.isAlive(id);
  }

  /** Ids whose threads have ended and that were not released: asks the operating system. */
  findEnded(): readonly number[] {
    this.registry.findEnded();
    return this.registry.ids().filter((id) => this.registry.isDead(id));
  }

  /**
   * Marks threads dead, all of them before anything of one is looked at.
   * @param own  id of the calling thread, if it has one
   * @throws ERR_ACCEPT_ARGUMENT for an id that no other thread can have; nothing changed
   */
  markDead(ids: readonly number[], own: number | undefined): void {
    for (const id of ids) {
      checkInteger('participant', id, 1, this.count);
      if (id === own) {
        throw new AcceptError('ERR_ACCEPT_ARGUMENT', 'the participant is the calling thread', {
          participant: id,
        });
      }
    }
    for (const id of ids) this.registry.markDead(id);
  }

  /** What the thread of a dead id was at when it ended; undefined for nothing, or when nobody has died under that id. */
  leftOf(id: number): Announcement | undefined {
    return this.registry.isDead(id) ? this.announcements.left(id) : undefined;
  }

  /**
   * Makes the id of a dead thread available again. What it announces stays, and counts for nothing: another thread may
   * release the id at the same time, and then a reset would strike what the next owner announces. Who gets the id resets.
   */
  release(id: number): void {
    this.registry.release(id);
  }

  #translated<T>(body: () => T): T {
    try {
      return body();
    } catch (cause) {
      throw asAcceptError(cause, this.count);
    }
  }
}
