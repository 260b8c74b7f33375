/**
 * The owner's side of the worker threads: start, greet, wake, replace after a crash, resize, stop.
 *
 * A worker's id is its place in the control block and stays with its replacement; what was sent to a dead
 * thread (jobs, modules) is remembered by thread, so that the replacement is told again on demand.
 */
import { HEAD, WORKER, workerBase } from '../protocol/control-layout.js';
import { sleep, wakeWorker } from '../protocol/machine.js';
import type { FromWorker, ToWorker } from '../protocol/messages.js';
import type { Platform, PlatformWorker, WorkerEnd } from './platform.js';

/** One thread, from start to end. */
export interface Member {
  readonly id: number;
  readonly platform: PlatformWorker;
  /** Range jobs this thread was told about. */
  readonly jobs: Set<number>;
  state: 'starting' | 'ready' | 'leaving' | 'dead';
}

/** The pool's control block. */
export interface Control {
  /** Worker threads that fit. */
  readonly capacity: number;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
}

/** What the pool wants to know. */
interface CrewEvents {
  onMessage(member: Member, message: FromWorker): void;
  onReady(member: Member): void;
  /** A thread is being started. */
  onStart(member: Member): void;
  /** Called before a replacement is started; `expected` when the thread was asked to leave. */
  onEnd(member: Member, end: WorkerEnd, expected: boolean): void;
}

/** How threads are made. */
interface CrewOptions {
  readonly name: string;
  readonly idle: 'block' | 'loop';
  readonly execArgv: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly resourceLimits: Readonly<Record<string, number>> | undefined;
  readonly factory: (() => unknown) | undefined;
}

/** Threads that die before they were ready, in a row, before the crew stops replacing them. */
const MAX_START_FAILURES = 3;
/** The owner looks so often whether what was printed is here, before the process may end, in milliseconds. */
const OUTPUT_MS = 5;
const { load, store, add } = Atomics;

/** All threads of one pool. */
export class Crew {
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  readonly capacity: number;
  readonly #platform: Platform;
  readonly #options: CrewOptions;
  readonly #events: CrewEvents;
  readonly #members: (Member | undefined)[];
  #target = 0;
  #startFailures = 0;
  #refs = 0;
  #closing = false;
  #outputTimer: ReturnType<typeof setTimeout> | undefined;
  /** Why threads cannot be started, once that is certain. */
  startError: unknown;

  constructor(platform: Platform, control: Control, options: CrewOptions, events: CrewEvents) {
    this.#platform = platform;
    this.capacity = control.capacity;
    this.words = control.words;
    this.numbers = control.numbers;
    this.#options = options;
    this.#events = events;
    this.#members = new Array<Member | undefined>(control.capacity + 1).fill(undefined);
  }

  /** Threads wanted. */
  get target(): number {
    return this.#target;
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

  /** Members whose threads have not ended, those that leave included. */
  living(): Member[] {
    return this.#members.filter((member) => member !== undefined);
  }

  /** The same as a list; no generator on the way of small jobs. */
  memberList(): Member[] {
    const list: Member[] = [];
    for (let id = 1; id <= this.capacity; id += 1) {
      const member = this.#members[id];
      if (member !== undefined && member.state !== 'leaving') list.push(member);
    }
    return list;
  }

  /** Members that have said hello. */
  get readyCount(): number {
    let count = 0;
    for (const member of this.members()) if (member.state === 'ready') count += 1;
    return count;
  }

  /** Starts or retires threads until there are `count`; the highest ids leave first. */
  resize(count: number): void {
    this.#target = count;
    for (let id = 1; id <= this.capacity; id += 1) {
      const member = this.#members[id];
      if (id <= count && member === undefined) this.#start(id);
      if (id > count && member !== undefined) this.retire(member);
    }
  }

  /** Posts a message; the worker takes it in at its next look. @throws when it cannot be cloned */
  post(member: Member, message: ToWorker, transfer?: readonly unknown[]): void {
    member.platform.post(message, transfer);
    add(this.words, workerBase(member.id) + WORKER.MAIL, 1);
    sleep.publish(this.words);
    this.wakeOne(member.id);
  }

  /** Wakes one worker if it sleeps. */
  wakeOne(id: number): boolean {
    return wakeWorker(this.words, id);
  }

  /** The worker takes no more work, and is replaced when it has ended what it has. */
  retire(member: Member): void {
    if (member.state === 'leaving' || member.state === 'dead') return;
    member.state = 'leaving';
    this.post(member, { t: 'leave' });
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

  /** Takes waiting messages without the event loop, for an owner that blocks. */
  receiveAll(): void {
    for (const member of this.#members) {
      if (member === undefined) continue;
      for (;;) {
        const message = member.platform.receive();
        if (message === undefined) break;
        this.#deliver(member, message as FromWorker);
      }
    }
  }

  /** Keeps the process alive until the matching `unref`. */
  ref(): void {
    this.#refs += 1;
    if (this.#refs === 1) for (const m of this.#members) m?.platform.ref();
  }

  unref(): void {
    this.#refs -= 1;
    this.#letProcessEnd();
  }

  /** The process may end when nothing is under way, and what functions have printed is here. */
  #letProcessEnd(): void {
    if (this.#refs > 0 || this.#outputTimer !== undefined) return;
    if (this.living().some(({ id }) => this.#prints(id))) {
      this.#outputTimer = setTimeout(() => {
        this.#outputTimer = undefined;
        this.#letProcessEnd();
      }, OUTPUT_MS);
      return;
    }
    for (const m of this.#members) m?.platform.unref();
  }

  #prints(id: number): boolean {
    return load(this.words, workerBase(id) + WORKER.OUTPUT) !== 0;
  }

  /** Stops all threads; those that do not leave within `graceMs` are terminated. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    store(this.words, HEAD.STOP, 1);
    sleep.publish(this.words);
    const left: Promise<void>[] = [];
    for (const member of this.#members) {
      if (member === undefined) continue;
      this.wakeOne(member.id);
      member.platform.ref();
      left.push(
        new Promise<void>((resolve) => {
          this.#endWaiters.set(member, resolve);
        }),
      );
    }
    if (left.length === 0) return;
    const all = Promise.all(left);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
    for (const member of this.#members) {
      if (member !== undefined) void member.platform.terminate();
    }
    await all;
  }

  readonly #endWaiters = new Map<Member, () => void>();

  #start(id: number): void {
    const base = workerBase(id);
    store(this.words, base + WORKER.SLEEP, 0);
    store(this.words, base + WORKER.MAIL, 0);
    store(this.words, base + WORKER.OUTPUT, 0);
    store(this.words, base + WORKER.PENDING, 0);
    const box: { member: Member | undefined } = { member: undefined };
    const thread = this.#platform.startWorker(
      {
        id,
        capacity: this.capacity,
        words: this.words,
        numbers: this.numbers,
        idle: this.#options.idle,
      },
      {
        ...this.#options,
        name: `${this.#options.name}-${id}`,
        onMessage: (message) => {
          if (box.member !== undefined) this.#deliver(box.member, message as FromWorker);
        },
        onEnd: (end) => {
          if (box.member !== undefined) this.#ended(box.member, end);
        },
      },
    );
    const member: Member = {
      id,
      platform: thread,
      jobs: new Set(),
      state: 'starting',
    };
    box.member = member;
    this.#members[id] = member;
    if (this.#refs > 0) thread.ref();
    this.#events.onStart(member);
  }

  #deliver(member: Member, message: FromWorker): void {
    if (message.t === 'hello') {
      member.platform.identify(message.tid);
      this.#startFailures = 0;
      if (member.state === 'starting') member.state = 'ready';
      this.#events.onReady(member);
      return;
    }
    this.#events.onMessage(member, message);
  }

  #ended(member: Member, end: WorkerEnd): void {
    const wasStarting = member.state === 'starting';
    const wasLeaving = member.state === 'leaving';
    member.state = 'dead';
    this.#members[member.id] = undefined;
    // Whoever dies awake leaves the place of the one that spins to others.
    Atomics.compareExchange(this.words, HEAD.SPINNER, member.id, 0);
    if (wasStarting && !this.#closing) {
      this.#startFailures += 1;
      if (this.#startFailures >= MAX_START_FAILURES) {
        this.startError = end.error ?? new Error(`worker ended with exit code ${end.exitCode}`);
      }
    }
    this.#events.onEnd(member, end, wasLeaving || this.#closing);
    this.#endWaiters.get(member)?.();
    this.#endWaiters.delete(member);
    if (this.#closing || this.startError !== undefined) return;
    if (member.id <= this.#target || wasLeaving) this.resize(this.#target);
  }
}
