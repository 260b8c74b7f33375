/** Who is there: the threads of a pool by id, those that leave included until they have ended; and how each is reached. */
import { WORKER, workerBase } from '../protocol/control-layout.js';
import { sent, sleep, wakeWorker } from '../protocol/machine.js';
import type { ToWorker } from '../protocol/messages.js';
import { toWorkerAhead } from '../values/unread.js';
import type { Control, Member } from '../threads/member.js';
import { busyShare } from '../threads/thread-words.js';

const { load, add } = Atomics;

/** The threads of one pool. */
export class Roster {
  /** Ids are 1..capacity. */
  readonly capacity: number;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  readonly #members: (Member | undefined)[];

  constructor({ capacity, words, numbers }: Control) {
    this.capacity = capacity;
    this.words = words;
    this.numbers = numbers;
    this.#members = new Array<Member | undefined>(capacity + 1).fill(undefined);
  }

  /** The living member with this id. */
  member(id: number): Member | undefined {
    return this.#members[id];
  }

  /** Living members that are not leaving, in order of id. */
  *members(): Generator<Member> {
    for (const member of this.#members) {
      if (member !== undefined && member.state !== 'leaving') yield member;
    }
  }

  /** Living members that take work now, or may again. */
  *workers(): Generator<Member> {
    for (const member of this.#members) {
      if (member !== undefined && (member.state !== 'leaving' || member.mayStay)) yield member;
    }
  }

  /** Members whose threads have not ended, those that leave included. */
  living(): Member[] {
    return this.#members.filter((member) => member !== undefined);
  }

  /** As `members`, as a list; no generator on the way of small jobs. */
  memberList(): Member[] {
    const list: Member[] = [];
    for (let id = 1; id <= this.capacity; id += 1) {
      const member = this.#members[id];
      if (member !== undefined && member.state !== 'leaving') list.push(member);
    }
    return list;
  }

  /** Members that have said hello, and are set up. */
  get readyCount(): number {
    let count = 0;
    for (const member of this.members()) if (member.state === 'ready') count += 1;
    return count;
  }

  /** No thread is there, not even one that leaves. */
  get isEmpty(): boolean {
    return this.#members.every((member) => member === undefined);
  }

  /** The lowest id that no thread has; undefined = all are taken. */
  get freeId(): number | undefined {
    const id = this.#members.indexOf(undefined, 1);
    return id < 0 ? undefined : id;
  }

  /**
   * Posts a message; the worker takes it in at its next look.
   * @param isLight it is known that the thread can read it
   * @throws when it cannot be cloned
   */
  post(member: Member, message: ToWorker, transfer?: readonly unknown[], isLight = false): void {
    const ahead = isLight ? undefined : toWorkerAhead(message);
    if (ahead !== undefined) member.platform.post(ahead);
    member.platform.post(message, transfer);
    add(this.words, workerBase(member.id) + WORKER.MAIL, 1);
    sleep.publish(this.words);
    this.wakeOne(member.id);
  }

  /** Wakes one worker if it sleeps. */
  wakeOne(id: number): boolean {
    return wakeWorker(this.words, id);
  }

  /** Makes the worker turn its loop soon, unless a function keeps the thread. */
  nudge(id: number): void {
    sleep.publish(this.words);
    this.wakeOne(id);
  }

  /** Turns of the worker's loop so far, modulo 2^32. */
  turnOf(id: number): number {
    return load(this.words, workerBase(id) + WORKER.TURN);
  }

  /** Is the worker asleep right now? */
  isAsleep(id: number): boolean {
    return load(this.words, workerBase(id) + WORKER.SLEEP) === 1;
  }

  /** Has the worker nothing to do right now? */
  isFree(id: number): boolean {
    return sent.isFree(this.words, workerBase(id));
  }

  /** Share of the time since the thread was started that it had something to do, 0..1. */
  busyShare({ id, since }: Member): number {
    return busyShare(this.words, id, since);
  }

  protected enter(member: Member): void {
    this.#members[member.id] = member;
  }

  protected erase(member: Member): void {
    this.#members[member.id] = undefined;
  }
}
