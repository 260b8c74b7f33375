/**
 * The accept protocol as a written model: states and atomic steps, explored over all schedules.
 *
 * A state is a few bytes: the three bitmaps, the event word, the slots, and for each worker the place it is at
 * with its local variables. One step is one atomic operation of accept-protocol.ts (or the entry or the return
 * of the platform call), named in `PC`. Exploration visits each state once and counts the paths through it, so
 * the number of schedules is exact although they are not walked one by one.
 *
 * Checked in every state: no cell is accepted twice (unless redone on purpose; a cell that is repeatable after death only,
 * never while its unit is in use); a clear table bit means that all
 * cells of the unit were accepted; bits move one way. At every end: a worker that returned finds its range
 * accepted; one that gave up did so because the dead worker was inside that unit; nobody is stuck.
 *
 * Sleep has no time-out here, so a lost wake-up shows as a worker that is stuck. Only after a death may a sleeper
 * wake by itself, once per change of a slot, as the slices of the real wait would.
 */

const { clz32, floor } = Math;
const { fromCharCode } = String;

/** What is explored. */
export interface ModelConfig {
  readonly units: number;
  readonly cellsPerUnit: 1 | 2;
  /** One request per worker: units [start, end). */
  readonly requests: readonly (readonly [number, number])[];
  /** Cells per platform call at most. */
  readonly maxRun: number;
  /** A waiter may redo a cell: at any time, or what the dead left, or never. */
  readonly repeatable: 'concurrently' | 'after-death' | 'never';
  /** These workers may die at any step. */
  readonly mortal?: number | readonly number[];
  /** Who says that they are dead: their parent (default), the system when a waiter asks it, or both. */
  readonly told?: 'parent' | 'proof' | 'both';
  /** The last worker begins when worker 0 was said dead and its slot is free again, and has that slot. */
  readonly heir?: boolean;
  /** Take steps together that no other worker can tell apart: for the largest cases. */
  readonly coarse?: boolean;
  /** A mistake to plant. */
  readonly broken?: Mistake;
}

/** Mistakes that the exploration has to find. */
export type Mistake =
  | 'claim-in-two-steps'
  | 'publish-before-platform'
  | 'publish-own-cells'
  | 'signal-before-publish'
  | 'retract-before-done'
  | 'claim-before-announce'
  | 'no-second-look'
  | 'repair-without-lock'
  | 'repair-on-first-look'
  | 'repair-lock-of-the-dead'
  | 'dead-by-slot';

/** What was found. */
export interface ModelResult {
  readonly states: number;
  readonly schedules: bigint;
  readonly violations: readonly string[];
}

const PC = {
  CHECK: 0,
  ANNOUNCE_START: 1,
  ANNOUNCE_END: 2,
  TEST: 3,
  CLAIM: 4,
  CLAIM_STORE: 5,
  EXTEND_TEST: 6,
  EXTEND_CLAIM: 7,
  PLATFORM_IN: 8,
  PLATFORM_OUT: 9,
  PUBLISH_RUN: 10,
  MARK: 11,
  PUBLISH: 12,
  SIGNAL: 13,
  RETRACT: 14,
  FIRST: 15,
  WAIT_EVENT: 16,
  WAIT_BIT: 17,
  WAIT_DONE: 18,
  REDO_CLAIMS: 19,
  REDO_DONE: 20,
  STATE_CLAIMS: 21,
  STATE_DONE: 22,
  STATE_SLOT: 23,
  AGAIN_DONE: 24,
  SLEEP: 25,
  RETURNED: 26,
  GAVE_UP: 27,
  DEAD: 28,
  REPAIR_LOAD: 32,
  REPAIR_LIVE: 33,
  REPAIR_TAKE: 34,
  REPAIR_START: 35,
  REPAIR_END: 36,
  REPAIR_CLAIMS: 37,
  REPAIR_DONE: 38,
  REPAIR_SLOT: 39,
  REPAIR_AGAIN: 40,
  REPAIR_RETRACT: 41,
  REPAIR_FREE: 42,
  NOT_STARTED: 43,
  ANNOUNCE_TAG: 44,
  READ_START: 45,
  READ_TAG: 46,
  READ_LIFE: 47,
} as const;
const ENDED: readonly number[] = [PC.RETURNED, PC.GAVE_UP, PC.DEAD];

// Bytes of a state: globals, then accepts and owner per cell, then the workers.
const BITS = 0;
const CLAIMS = 1;
const DONE = 2;
const EVENT = 3;
const CHANGES = 4;
const DEATH = 5; // two bits a worker: 1 died, 2 declared dead
const REPAIR = 6; // worker + 1 that repairs
const RELEASED = 7; // 1 = the slot of worker 0 is free again
const CELLS = 8;

// Bytes of a worker.
const AT = 0;
const CELL = 1;
const STOP = 2;
const UNIT = 3;
const REST = 4;
const SEEN = 5;
const SEEN_CHANGES = 6;
const MODE = 7; // 0 sweeping, 1 redoing, 2 publishing for another, 3 repairing
const SLOT_START = 8;
const SLOT_END = 9;
const SLOT_TAG = 10; // worker + 1
const GOT_START = 11; // of the slot that is being read
const GOT_END = 12;
const GOT_TAG = 13;
const WORKER_BYTES = 14;

/** Explores every schedule of `config`. */
export function explore(config: ModelConfig): ModelResult {
  const { units, cellsPerUnit: per, requests, broken } = config;
  const cells = units * per;
  const owners = CELLS + cells;
  const base = owners + cells;
  const unitMask = (1 << per) - 1;
  const violations = new Set<string>();
  const counts = new Map<string, bigint>();
  const onPath = new Set<string>();

  const mortals = config.mortal === undefined ? [] : [config.mortal].flat();
  const mortal = mortals.length > 0;
  const isDeclared = (s: Uint8Array, worker: number): boolean =>
    ((s[DEATH]! >> (2 * worker)) & 2) !== 0;
  const { repeatable, told = 'parent', heir = false } = config;
  const initial = new Uint8Array(base + requests.length * WORKER_BYTES);
  initial[BITS] = (1 << units) - 1;
  const last = requests.length - 1;
  requests.forEach((_, worker) => {
    initial[base + worker * WORKER_BYTES + SLOT_TAG] = worker + 1;
  });
  if (heir) initial[base + last * WORKER_BYTES + AT] = PC.NOT_STARTED;
  const slots = heir ? last : requests.length;
  /** Where the slot of a worker is: the heir has that of worker 0. */
  const slotOf = (worker: number): number =>
    base + (heir && worker === last ? 0 : worker) * WORKER_BYTES;
  const isLive = (s: Uint8Array, tag: number): boolean =>
    !isDeclared(s, (broken === 'dead-by-slot' && tag === last + 1 ? 1 : tag) - 1);
  /** A dead worker that nobody knows to be dead, and that announces the unit or holds the repair word. */
  const deadInside = (s: Uint8Array, unit: number): number | undefined =>
    mortals.find((worker) => {
      const slot = base + worker * WORKER_BYTES;
      const covers = s[slot + SLOT_START]! <= unit && unit < s[slot + SLOT_END]!;
      if (((s[DEATH]! >> (2 * worker)) & 3) !== 1) return false;
      return s[REPAIR] === worker + 1 || (covers && s[slot + SLOT_TAG] === worker + 1);
    });

  const rangeBits = (from: number, to: number): number => ((1 << to) - 1) & ~((1 << from) - 1);
  const allDone = (s: Uint8Array, unit: number): boolean =>
    per === 1
      ? ((s[BITS]! >> unit) & 1) === 0
      : ((s[DONE]! >> (unit * per)) & unitMask) === unitMask;

  /** One step of `worker`; undefined when it cannot move. */
  const step = (from: Uint8Array, worker: number): Uint8Array | undefined => {
    const w = base + worker * WORKER_BYTES;
    const own = slotOf(worker);
    const [start, end] = requests[worker]!;
    const limit = end * per;
    if (ENDED.includes(from[w + AT]!)) return undefined;
    if (from[w + AT] === PC.NOT_STARTED && from[RELEASED] === 0) return undefined;
    const proven =
      from[w + AT] === PC.SLEEP && told !== 'parent'
        ? deadInside(from, from[w + UNIT]!)
        : undefined;
    if (
      from[w + AT] === PC.SLEEP &&
      proven === undefined &&
      from[w + SEEN] === from[EVENT] &&
      ((from[DEATH]! & 0b10101010) === 0 || from[w + SEEN_CHANGES] === from[CHANGES])
    ) {
      return undefined;
    }
    const s = from.slice();
    const go = (pc: number): void => {
      s[w + AT] = pc;
    };
    const nextCell = (): void => {
      s[w + CELL]! += 1;
      go(s[w + CELL]! < limit ? PC.TEST : leaveSweep());
    };
    const leaveSweep = (): number => PC.RETRACT;
    const bit = (unit: number): boolean => ((s[BITS]! >> unit) & 1) === 1;
    const unitOf = (cell: number): number => floor(cell / per);
    const wonClaim = (): void => {
      if (mortal) s[owners + s[w + CELL]!] = worker + 1;
      s[w + STOP] = s[w + CELL]! + 1;
      go(s[w + STOP]! < limit && config.maxRun > 1 ? PC.EXTEND_TEST : platform());
    };
    const platform = (): number =>
      broken === 'retract-before-done' && s[w + MODE] === 0 ? retractEarly() : enter;
    const enter = config.coarse === true ? PC.PLATFORM_OUT : PC.PLATFORM_IN;
    const retractEarly = (): number => {
      s[own + SLOT_END] = 0;
      return enter;
    };
    /** After the cells of a call are done (and published where due). */
    const afterCells = (): void => {
      if (s[w + MODE] === 0) {
        s[w + CELL] = s[w + STOP]!;
        go(s[w + CELL]! < limit ? PC.TEST : leaveSweep());
      } else if (s[w + MODE] !== 2 && s[w + REST] !== 0) {
        redoNext(s[w + MODE]!);
      } else if (s[w + MODE] === 3) {
        go(PC.REPAIR_RETRACT);
      } else {
        go(s[w + MODE] === 1 ? PC.WAIT_EVENT : PC.FIRST);
        s[w + MODE] = 0;
      }
    };
    const redoNext = (mode: number): void => {
      const rest = s[w + REST]!;
      const low = 31 - clz32(rest & -rest);
      s[w + REST] = rest & (rest - 1);
      s[w + CELL] = s[w + UNIT]! * per + low;
      s[w + STOP] = s[w + CELL]! + 1;
      s[w + MODE] = mode;
      go(enter);
    };
    const clear = (mask: number): void => {
      s[BITS]! &= ~mask;
    };
    const signal = (): void => {
      s[EVENT]! += 1;
    };
    const unfinished = (claimed: number): number =>
      per === 1
        ? bit(s[w + UNIT]!)
          ? claimed
          : 0
        : claimed & ~((s[DONE]! >> (s[w + UNIT]! * per)) & unitMask);

    switch (s[w + AT]) {
      case PC.CHECK:
        s[w + CELL] = start * per;
        if ((s[BITS]! & rangeBits(start, end)) === 0) go(PC.RETURNED);
        else if (broken === 'claim-before-announce') go(PC.TEST);
        else if (config.coarse === true) {
          s[own + SLOT_TAG] = worker + 1;
          s[own + SLOT_START] = start;
          s[own + SLOT_END] = end;
          go(PC.TEST);
        } else go(heir ? PC.ANNOUNCE_TAG : PC.ANNOUNCE_START);
        break;
      case PC.NOT_STARTED:
        go(PC.CHECK);
        break;
      case PC.ANNOUNCE_TAG:
        s[own + SLOT_TAG] = worker + 1;
        go(PC.ANNOUNCE_START);
        break;
      case PC.ANNOUNCE_START:
        s[own + SLOT_START] = start;
        go(PC.ANNOUNCE_END);
        break;
      case PC.ANNOUNCE_END:
        s[own + SLOT_END] = end;
        go(broken === 'claim-before-announce' ? PC.PLATFORM_IN : PC.TEST);
        break;
      case PC.TEST:
        if (bit(unitOf(s[w + CELL]!))) go(PC.CLAIM);
        else nextCell();
        break;
      case PC.CLAIM: {
        const mask = 1 << s[w + CELL]!;
        if ((s[CLAIMS]! & mask) !== 0) nextCell();
        else if (broken === 'claim-in-two-steps') go(PC.CLAIM_STORE);
        else {
          s[CLAIMS]! |= mask;
          wonClaim();
          if (broken === 'claim-before-announce' && s[own + SLOT_END] === 0) go(PC.ANNOUNCE_START);
        }
        break;
      }
      case PC.CLAIM_STORE:
        s[CLAIMS]! |= 1 << s[w + CELL]!;
        wonClaim();
        break;
      case PC.EXTEND_TEST:
        go(bit(unitOf(s[w + STOP]!)) ? PC.EXTEND_CLAIM : platform());
        break;
      case PC.EXTEND_CLAIM: {
        const mask = 1 << s[w + STOP]!;
        if ((s[CLAIMS]! & mask) !== 0) {
          go(platform());
          break;
        }
        s[CLAIMS]! |= mask;
        if (mortal) s[owners + s[w + STOP]!] = worker + 1;
        s[w + STOP]! += 1;
        const full = s[w + STOP] === limit || s[w + STOP]! - s[w + CELL]! >= config.maxRun;
        go(full ? platform() : PC.EXTEND_TEST);
        break;
      }
      case PC.PLATFORM_IN:
        if (broken === 'publish-before-platform') {
          clear(rangeBits(unitOf(s[w + CELL]!), unitOf(s[w + STOP]! - 1) + 1));
        }
        go(PC.PLATFORM_OUT);
        break;
      case PC.PLATFORM_OUT:
        for (let cell = s[w + CELL]!; cell < s[w + STOP]!; cell += 1) {
          s[CELLS + cell]! += 1;
          if (s[CELLS + cell]! > 1 && repeatable === 'never')
            violations.add('a cell is accepted twice');
          if (repeatable === 'after-death' && !bit(unitOf(cell)))
            violations.add('prepared again while in use');
        }
        if (per === 1) go(PC.PUBLISH_RUN);
        else {
          if (s[w + MODE] === 0) s[w + UNIT] = unitOf(s[w + CELL]!);
          go(PC.MARK);
        }
        break;
      case PC.PUBLISH_RUN:
        if (broken === 'signal-before-publish') signal();
        else clear(rangeBits(s[w + CELL]!, s[w + STOP]!));
        go(PC.SIGNAL);
        break;
      case PC.MARK: {
        const unit = s[w + UNIT]!;
        const mask =
          rangeBits(s[w + CELL]!, s[w + STOP]!) & rangeBits(unit * per, (unit + 1) * per);
        const old = s[DONE]!;
        s[DONE]! |= mask;
        const all = rangeBits(unit * per, (unit + 1) * per);
        const completes = (old & all) !== all && (s[DONE]! & all) === all;
        if (completes || broken === 'publish-own-cells') go(PC.PUBLISH);
        else nextUnit();
        break;
      }
      case PC.PUBLISH:
        if (broken === 'signal-before-publish') signal();
        else clear(1 << s[w + UNIT]!);
        go(PC.SIGNAL);
        break;
      case PC.SIGNAL:
        if (broken === 'signal-before-publish') {
          if (per === 1) clear(rangeBits(s[w + CELL]!, s[w + STOP]!));
          else clear(1 << s[w + UNIT]!);
        } else signal();
        if (per === 1 || s[w + MODE] === 2) afterCells();
        else nextUnit();
        break;
      case PC.RETRACT:
        s[own + SLOT_END] = 0;
        s[CHANGES]! += 1;
        go(PC.FIRST);
        break;
      case PC.FIRST: {
        const rest = s[BITS]! & rangeBits(start, end);
        s[w + CELL] = 0;
        s[w + STOP] = 0;
        s[w + REST] = 0;
        if (rest === 0) go(PC.RETURNED);
        else {
          s[w + UNIT] = 31 - clz32(rest & -rest);
          go(PC.WAIT_EVENT);
        }
        break;
      }
      case PC.WAIT_EVENT:
        s[w + SEEN] = s[EVENT]!;
        s[w + SEEN_CHANGES] = s[CHANGES]!;
        go(PC.WAIT_BIT);
        break;
      case PC.WAIT_BIT:
        if (!bit(s[w + UNIT]!)) go(PC.FIRST);
        else if (per > 1) go(PC.WAIT_DONE);
        else go(repeatable === 'concurrently' ? PC.REDO_CLAIMS : PC.STATE_CLAIMS);
        break;
      case PC.WAIT_DONE:
        if (allDone(s, s[w + UNIT]!)) {
          s[w + MODE] = 2;
          go(PC.PUBLISH);
        } else go(repeatable === 'concurrently' ? PC.REDO_CLAIMS : PC.STATE_CLAIMS);
        break;
      case PC.REDO_CLAIMS:
      case PC.STATE_CLAIMS: {
        s[w + REST] = (s[CLAIMS]! >> (s[w + UNIT]! * per)) & unitMask;
        go(s[w + AT] === PC.REDO_CLAIMS ? PC.REDO_DONE : PC.STATE_DONE);
        break;
      }
      case PC.REDO_DONE:
        s[w + REST] = unfinished(s[w + REST]!);
        if (s[w + REST] === 0) go(PC.WAIT_EVENT);
        else redoNext(1);
        break;
      case PC.STATE_DONE:
        s[w + REST] = unfinished(s[w + REST]!);
        s[w + CELL] = 0; // the next slot to look at
        go(s[w + REST] === 0 ? PC.SLEEP : PC.STATE_SLOT);
        break;
      case PC.STATE_SLOT: {
        const slot = base + s[w + CELL]! * WORKER_BYTES;
        if (heir) {
          // Load by load: the slot may get its next owner in between.
          s[w + GOT_END] = s[slot + SLOT_END]!;
          if (s[w + GOT_END] === 0) nextSlot(false);
          else go(PC.READ_START);
        } else nextSlot(covers(slot) && isLive(s, s[slot + SLOT_TAG]!));
        break;
      }
      case PC.READ_START:
        s[w + GOT_START] = s[base + s[w + CELL]! * WORKER_BYTES + SLOT_START]!;
        go(PC.READ_TAG);
        break;
      case PC.READ_TAG:
        s[w + GOT_TAG] = s[base + s[w + CELL]! * WORKER_BYTES + SLOT_TAG]!;
        go(PC.READ_LIFE);
        break;
      case PC.READ_LIFE: {
        const within = s[w + GOT_START]! <= s[w + UNIT]! && s[w + UNIT]! < s[w + GOT_END]!;
        nextSlot(within && isLive(s, s[w + GOT_TAG]!));
        break;
      }
      case PC.AGAIN_DONE:
        if (unfinished(s[w + REST]!) === 0) go(PC.SLEEP);
        else if (repeatable === 'after-death') {
          go(broken === 'repair-without-lock' ? PC.REPAIR_START : PC.REPAIR_LOAD);
        } else giveUp();
        break;
      case PC.REPAIR_LOAD:
        s[w + CELL] = s[REPAIR]!;
        go(s[REPAIR] === 0 ? PC.REPAIR_TAKE : PC.REPAIR_LIVE);
        break;
      case PC.REPAIR_LIVE: {
        const ended = isDeclared(s, s[w + CELL]! - 1) && broken !== 'repair-lock-of-the-dead';
        go(ended ? PC.REPAIR_TAKE : PC.SLEEP);
        break;
      }
      case PC.REPAIR_TAKE:
        if (s[REPAIR] === s[w + CELL]) {
          s[REPAIR] = worker + 1;
          go(PC.REPAIR_START);
        } else go(PC.SLEEP);
        break;
      case PC.REPAIR_START:
        s[own + SLOT_TAG] = worker + 1;
        s[own + SLOT_START] = s[w + UNIT]!;
        go(PC.REPAIR_END);
        break;
      case PC.REPAIR_END:
        s[own + SLOT_END] = s[w + UNIT]! + 1;
        if (broken === 'repair-on-first-look') redoNext(3);
        else go(PC.REPAIR_CLAIMS);
        break;
      case PC.REPAIR_CLAIMS:
        s[w + REST] = (s[CLAIMS]! >> (s[w + UNIT]! * per)) & unitMask;
        go(PC.REPAIR_DONE);
        break;
      case PC.REPAIR_DONE:
        s[w + REST] = unfinished(s[w + REST]!);
        s[w + CELL] = 0; // the next slot to look at
        go(s[w + REST] === 0 ? PC.REPAIR_RETRACT : PC.REPAIR_SLOT);
        break;
      case PC.REPAIR_SLOT: {
        const slot = base + s[w + CELL]! * WORKER_BYTES;
        const covered = slot !== own && covers(slot) && isLive(s, s[slot + SLOT_TAG]!);
        s[w + CELL]! += 1;
        if (covered) go(PC.REPAIR_RETRACT);
        else if (s[w + CELL] === slots) go(PC.REPAIR_AGAIN);
        break;
      }
      case PC.REPAIR_AGAIN:
        s[w + REST] = unfinished(s[w + REST]!);
        if (s[w + REST] === 0) go(PC.REPAIR_RETRACT);
        else redoNext(3);
        break;
      case PC.REPAIR_RETRACT:
        s[own + SLOT_END] = 0;
        // Without the lock two could wake each other for ever.
        if (broken !== 'repair-without-lock') s[CHANGES]! += 1;
        go(PC.REPAIR_FREE);
        break;
      case PC.REPAIR_FREE:
        if (s[REPAIR] === worker + 1) s[REPAIR] = 0;
        s[w + MODE] = 0;
        s[w + CELL] = 0;
        s[w + STOP] = 0;
        s[w + REST] = 0;
        // Whoever slept for this repair looks again.
        if (broken !== 'repair-without-lock') s[CHANGES]! += 1;
        go(PC.WAIT_EVENT);
        break;
      case PC.SLEEP:
        if (proven !== undefined) {
          s[DEATH]! |= 2 << (2 * proven);
          s[CHANGES]! += 1;
        }
        go(PC.WAIT_EVENT);
        break;
    }
    return s;

    function covers(slot: number): boolean {
      return s[slot + SLOT_START]! <= s[w + UNIT]! && s[w + UNIT]! < s[slot + SLOT_END]!;
    }
    function nextSlot(covered: boolean): void {
      s[w + CELL]! += 1;
      s[w + GOT_START] = 0;
      s[w + GOT_END] = 0;
      s[w + GOT_TAG] = 0;
      if (covered) go(PC.SLEEP);
      else if (s[w + CELL] === slots) {
        if (broken === 'no-second-look') giveUp();
        else go(PC.AGAIN_DONE);
      } else go(PC.STATE_SLOT);
    }
    function giveUp(): void {
      const unit = s[w + UNIT]!;
      let orphaned = false;
      for (let cell = unit * per; cell < (unit + 1) * per; cell += 1) {
        const owner = s[owners + cell]!;
        const finished = per === 1 ? !bit(unit) : ((s[DONE]! >> cell) & 1) === 1;
        if (owner > 0 && s[base + (owner - 1) * WORKER_BYTES + AT] === PC.DEAD && !finished) {
          orphaned = true;
        }
      }
      if (!orphaned) violations.add('gave up a unit whose owner lives');
      go(PC.GAVE_UP);
    }
    function nextUnit(): void {
      s[w + UNIT]! += 1;
      if (s[w + MODE] === 0 && s[w + UNIT]! * per < s[w + STOP]!) go(PC.MARK);
      else {
        if (s[w + MODE] === 1 || s[w + MODE] === 3) s[w + UNIT]! -= 1;
        afterCells();
      }
    }
  };

  const check = (s: Uint8Array, before: Uint8Array): void => {
    for (let unit = 0; unit < units; unit += 1) {
      if (((s[BITS]! >> unit) & 1) === 1) continue;
      for (let cell = unit * per; cell < (unit + 1) * per; cell += 1) {
        if (s[CELLS + cell] === 0) violations.add('visible before it was accepted');
      }
    }
    if ((s[BITS]! & ~before[BITS]!) !== 0) violations.add('a table bit came back');
    if ((before[CLAIMS]! & ~s[CLAIMS]!) !== 0) violations.add('a claim was lost');
  };

  const atEnd = (s: Uint8Array): void => {
    requests.forEach(([start, end], worker) => {
      const w = base + worker * WORKER_BYTES;
      const at = s[w + AT]!;
      if (at === PC.RETURNED && (s[BITS]! & rangeBits(start, end)) !== 0) {
        violations.add('returned before its range was accepted');
      }
      if (!ENDED.includes(at) && at !== PC.NOT_STARTED) violations.add('a worker is stuck');
      if (at === PC.GAVE_UP && (!mortal || repeatable !== 'never')) {
        violations.add('gave up although nobody died or redoing was allowed');
      }
      const own = slotOf(worker);
      if (at !== PC.DEAD && s[own + SLOT_TAG] === worker + 1 && s[own + SLOT_END] !== 0)
        violations.add('an announcement was left behind');
    });
  };

  const visit = (s: Uint8Array): bigint => {
    const key = fromCharCode(...s);
    const known = counts.get(key);
    if (known !== undefined) return known;
    if (onPath.has(key)) {
      violations.add('goes round in circles');
      return 0n;
    }
    onPath.add(key);
    let paths = 0n;
    const moves = { count: 0 };
    const follow = (next: Uint8Array): void => {
      moves.count += 1;
      check(next, s);
      paths += visit(next);
    };
    for (let worker = 0; worker < requests.length; worker += 1) {
      const next = step(s, worker);
      if (next !== undefined) follow(next);
    }
    for (const worker of mortals) {
      const w = base + worker * WORKER_BYTES;
      const death = (s[DEATH]! >> (2 * worker)) & 3;
      if (death === 0 && !ENDED.includes(s[w + AT]!)) {
        const next = s.slice();
        next[DEATH]! |= 1 << (2 * worker);
        next[w + AT] = PC.DEAD;
        follow(next);
      } else if (death === 1 && told !== 'proof') {
        // The announcement stays where it is: it has ended with its thread.
        const next = s.slice();
        next[DEATH]! |= 2 << (2 * worker);
        next[CHANGES]! += 1;
        follow(next);
      } else if (heir && worker === 0 && death === 3 && s[RELEASED] === 0) {
        const next = s.slice();
        next[RELEASED] = 1;
        next[w + SLOT_END] = 0;
        follow(next);
      }
    }
    if (moves.count === 0) {
      atEnd(s);
      paths = 1n;
    }
    onPath.delete(key);
    counts.set(key, paths);
    return paths;
  };

  const schedules = visit(initial);
  return { states: counts.size, schedules, violations: [...violations].sort() };
}
