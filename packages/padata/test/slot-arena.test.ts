// The arena of a ring against a naive model: nobody gets bytes that a job, a consumer or an abandoned function has.
import { expect, test } from '@jest/globals';
import { SlotArena } from '../dist/arena/slot-arena.js';
import { Random } from '../../../tools/kit/random.mjs';

/** Bytes that somebody has. */
interface Stretch {
  readonly first: number;
  readonly end: number;
}
interface Job extends Stretch {
  /** What `take` said. */
  readonly token: number;
  readonly sequence: number;
}
const BYTES = 512;
const overlaps = (a: Stretch, b: Stretch) => a.first < b.end && b.first < a.end && a.end > a.first;

/** Jobs in flight, results that are kept, holes: everything that is in use. */
class Model {
  readonly arena: SlotArena;
  readonly #jobs: Job[] = [];
  /** Delivered, in order; the circle moves past them from the oldest on. */
  readonly #kept: Stretch[] = [];
  #holes: (Stretch & { sequence: number; worker: number })[] = [];
  readonly #released = new Set<Stretch>();
  #next = 0;

  readonly bytes: number;

  constructor(bytes = BYTES) {
    this.bytes = bytes;
    this.arena = new SlotArena(bytes);
  }

  get inUse(): Stretch[] {
    const kept = this.#kept.filter((stretch) => !this.#released.has(stretch));
    return [...this.#jobs, ...kept, ...this.#holes];
  }

  /** Takes bytes for a job; false = there are none now. */
  submit(bytes: number): boolean {
    const first = this.arena.find(bytes);
    if (first < 0) return false;
    const stretch = { first, end: first + bytes };
    expect(first + bytes).toBeLessThanOrEqual(this.bytes);
    expect(this.inUse.filter((other) => overlaps(stretch, other))).toEqual([]);
    // It may grow up to its limit: that is nobody's either.
    const most = { first, end: this.arena.limit(first) };
    expect(most.end).toBeGreaterThanOrEqual(stretch.end);
    expect(this.inUse.filter((other) => overlaps(most, other))).toEqual([]);
    this.arena.head = stretch.end;
    this.#jobs.push({ ...stretch, token: this.arena.take(), sequence: this.#next++ });
    return true;
  }

  /** Takes bytes of what the last search has found, for a job; false = it has none of them left. */
  submitNext(bytes: number): boolean {
    const first = this.arena.takeNext(bytes);
    if (first < 0) return false;
    const stretch = { first, end: first + bytes };
    expect(first + bytes).toBeLessThanOrEqual(this.bytes);
    expect(this.inUse.filter((other) => overlaps(stretch, other))).toEqual([]);
    expect(this.arena.head).toBe(stretch.end);
    this.#jobs.push({ ...stretch, token: stretch.end, sequence: this.#next++ });
    return true;
  }

  /** Bytes are found, and the input goes by message after all. */
  look(bytes: number): void {
    this.arena.find(bytes);
  }

  /** Bytes are found and written, and then the job is refused: the next gets what is behind them. */
  refuse(bytes: number): void {
    const first = this.arena.find(bytes);
    if (first < 0) return;
    expect(this.inUse.filter((other) => overlaps({ first, end: first + bytes }, other))).toEqual(
      [],
    );
    this.arena.head = first + bytes;
  }

  /** Delivers the oldest job. */
  deliver(keep: boolean, abandonedBy: number): void {
    const job = this.#jobs[0];
    if (job === undefined) return;
    if (abandonedBy > 0) {
      const hole = { first: job.first, end: job.end, sequence: job.sequence, worker: abandonedBy };
      this.arena.keepHole(hole);
      if (hole.end > hole.first) this.#holes.push(hole);
    }
    const direct = this.arena.delivered(job.token, keep);
    this.#jobs.shift();
    if (direct) {
      this.arena.giveBack(job.token);
      return;
    }
    const stretch = { first: job.first, end: job.end };
    this.#kept.push(stretch);
    if (!keep) this.#released.add(stretch);
    this.arena.sweep();
  }

  release(): void {
    const kept = this.#kept.find((stretch) => !this.#released.has(stretch));
    if (kept !== undefined) this.#released.add(kept);
    this.arena.release();
  }

  functionEnded(which: number): void {
    const hole = this.#holes[which % Math.max(1, this.#holes.length)];
    if (hole === undefined) return;
    this.arena.closeHole(hole.sequence);
    this.#holes = this.#holes.filter((other) => other !== hole);
  }

  threadEnded(worker: number): void {
    this.arena.closeHolesOf(worker);
    this.#holes = this.#holes.filter((hole) => hole.worker !== worker);
  }

  /** All ends: then all bytes are one stretch again. */
  end(): void {
    while (this.#jobs.length > 0) this.deliver(false, 0);
    for (const stretch of this.#kept) if (!this.#released.has(stretch)) this.arena.release();
    for (const worker of [1, 2]) this.threadEnded(worker);
    expect(this.arena.isEmpty).toBe(true);
    expect(this.arena.longest).toBe(this.bytes);
    expect(this.arena.find(this.bytes)).toBe(0);
  }
}

test.each(Array.from({ length: 400 }, (_, seed) => seed))(
  'no bytes are given out twice, and all come back (seed %i)',
  (seed) => {
    const random = new Random(seed);
    // Small, and many times what one search finds.
    const scale = seed % 2 === 0 ? 1 : 64;
    const model = new Model(BYTES * scale);
    // Some runs without keepers and holes: then the circle is full and empty again and again.
    const most = 3 + (seed % 3) * 3;
    for (let step = 0; step < 500; step += 1) {
      const dice = random.below(most);
      const most8 = (random.once(6) ? 60 : 12) * (random.once(3) ? 1 : scale);
      const bytes = 8 * random.below(most8);
      if (dice < 2) {
        const use = random.below(8);
        if (use === 0) model.look(bytes);
        else if (use === 1) model.refuse(bytes);
        else if (use < 5) model.submitNext(bytes);
        else model.submit(bytes);
      } else if (dice < 5)
        model.deliver(
          most > 3 && random.once(4),
          most > 6 && random.once(8) ? 1 + random.below(2) : 0,
        );
      else if (dice === 5) model.release();
      else if (dice === 6) model.functionEnded(random.below(8));
      else if (dice === 7 && random.once(4)) model.threadEnded(1 + random.below(2));
    }
    model.end();
  },
);

test('what one search has found is enough for the next jobs, and not for one more', () => {
  const model = new Model(BYTES * 64);
  expect(model.submitNext(64)).toBe(false);
  expect(model.submit(64)).toBe(true);
  let more = 0;
  while (model.submitNext(64)) more += 1;
  expect(more).toBe(4096 / 64 - 1);
  expect(model.submit(64)).toBe(true);
  expect(model.submitNext(64)).toBe(true);
});

test('a circle that is full to the last byte is not taken for an empty one', () => {
  const model = new Model();
  for (let i = 0; i < 4; i += 1) expect(model.submit(BYTES / 4)).toBe(true);
  expect(model.submit(8)).toBe(false);
  model.deliver(false, 0);
  // All of the oldest job's bytes but one: with all, head and tail would meet.
  expect(model.submit(BYTES / 4)).toBe(false);
  expect(model.submit(BYTES / 4 - 8)).toBe(true);
  expect(model.submit(8)).toBe(false);
});
