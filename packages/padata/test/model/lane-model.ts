/**
 * The claim protocol as a model: one lane, opened once for each job; the owner and helpers claim its chunks and run
 * them; helpers come when they like, late ones too. The steps are those of `protocol/lane.ts`, which ships; what is
 * around them is written as in caller-part.ts (owner) and lane-visit.ts (helper). A helper sleeps while it sees
 * no opening that it does not know.
 *
 * `coarse` does as one step what no other thread can tell apart, so that three helpers and two jobs can be explored whole
 * (Lipton's reduction: steps that commute with all steps of others may go with their neighbour). These commute:
 *  - the owner's look at GATE before it opens: nobody else writes it;
 *  - a helper's looks at OVER and GATE when it wakes: they change nothing, and what they say is looked at again by `join`. A helper that
 *    sees an even gate, or the one that it knows, goes back to sleep, as if it had not woken;
 *  - the look at STOPPED before a claim: without deaths and failures nobody stores anything but 0;
 *  - the look at COUNT after it, and both stores to the chunk's word: COUNT changes only in `describe`, the word is looked at only in
 *    `describe` and `gather`, and at both nobody is inside (L1, L3). That is not taken on trust: INSIDE says who is, and an owner that
 *    describes or gathers meanwhile is a violation. Where the first such meeting comes about in single steps, it does so here: up to
 *    it all of them commute.
 *  - the looks of `gather`, likewise.
 * Steps by which threads meet stay single: store and look of `join` and of `leave`, `open`, `close`, each claim, WAITING and
 * each look at PRESENT. All broken variants without deaths are caught with it too.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import type { Words } from '../../dist/protocol/atomic-ops.js';
import { LANE } from '../../dist/protocol/control-layout.js';
import { makeLaneProtocol } from '../../dist/protocol/lane.js';
import type { LaneProtocol } from '../../dist/protocol/lane.js';

const PRESENT = 16;
const CHUNKS = 24;
/** Not words of a real lane: a helper has died; the helpers may end. */
const DEATH = 40;
const OVER = 41;
/** Not 0: this helper has joined and not left; for `coarse`. */
const INSIDE = 42;
const NONE = 0;
const RUNNING = 1;
const DONE = 2;
const LOST = 5;
const PHASE_BITS = 3;

/** Makes the protocol, or a broken variant. */
export type MakeLane = (ops: AtomicOps) => LaneProtocol;

/** What is explored. */
export interface LaneConfig {
  /** Chunks of each job, one job after the other. */
  readonly chunks: readonly number[];
  /** Threads besides the owner. */
  readonly helpers: number;
  /** Chunks of each job that the owner has run before it describes the lane. */
  readonly begun?: readonly number[];
  /** The last helper may die at any step. */
  readonly mortal?: boolean;
  /** Steps that nobody can tell apart are one; without deaths only. */
  readonly coarse?: boolean;
  /** The owner does not ask whether a chunk was claimed and never begun: a mistake to be found. */
  readonly forgetful?: boolean;
  readonly make?: MakeLane;
}

/** The model of a configuration. */
export function laneModel(config: LaneConfig): Model {
  const { chunks, helpers, mortal = false } = config;
  return {
    words: 48,
    threads: [
      ownerThread(config),
      ...Array.from({ length: helpers }, (_, i) => helperThread(config, i + 1)),
    ],
    mortal: mortal ? { thread: helpers, word: DEATH, told: 0 } : undefined,
    summary: (history) => [...history].sort().join(),
    check(_words, history) {
      const expected = chunks.flatMap((count, job) =>
        Array.from({ length: count }, (_, k) => `${job + 1}.${k}`),
      );
      const odd = history.filter((h) => !h.startsWith('run') && !h.startsWith('lost'));
      const ran = history.filter((h) => h.startsWith('run ')).map((h) => h.slice(4));
      const lost = history.filter((h) => h.startsWith('lost ')).map((h) => h.slice(5));
      if (odd.length > 0) return odd.join();
      if (new Set(ran).size !== ran.length) return `run twice: ${ran.join()}`;
      const missing = expected.filter((k) => !ran.includes(k) && !lost.includes(k));
      return missing.length === 0 ? undefined : `never run and not reported: ${missing.join()}`;
    },
  };
}

/** Operations for which looking at these words is no step of its own: it goes with the step before. */
function withLooks(ops: AtomicOps, looks: readonly number[]): AtomicOps {
  return {
    ...ops,
    load: (words, at) => (looks.includes(at) ? words[at]! : ops.load(words, at)),
  };
}

/** Where the owner is with a job. */
const DESCRIBE = 0;
const OPEN = 1;
const CLOSED = 2;

function ownerThread({
  chunks,
  helpers,
  forgetful,
  begun = [],
  coarse = false,
  make = makeLaneProtocol,
}: LaneConfig) {
  return (tools: ThreadTools): void => {
    const { ops, area, wait, note, mark, resumed = 0 } = tools;
    const expectNobodyInside = (what: string): void => {
      for (let w = 1; coarse && w <= helpers; w += 1) {
        if (words[INSIDE + w] !== 0) note(`${what} while helper ${w} is inside`);
      }
    };
    const p = make(coarse ? withLooks(ops, [LANE.GATE, LANE.STOPPED, LANE.COUNT]) : ops);
    const words = area(0);
    let dead = resumed & 1;
    let phase = (resumed >> 1) & 3;
    const first = resumed >> 3;
    const here = (job: number): void => {
      mark(dead | (phase << 1) | (job << 3));
    };
    /** What `LaneRun.workerDied` does, at the owner's next turn. */
    const noticeDeath = (job: number): void => {
      if (dead === 1 || words[DEATH] !== 1) return;
      dead = 1;
      const w = helpers;
      if (ops.load(words, PRESENT + w) === 0) return;
      for (let k = 0; k < chunks[job]!; k += 1) {
        if (ops.load(words, CHUNKS + k) !== (RUNNING | (w << PHASE_BITS))) continue;
        ops.store(words, CHUNKS + k, LOST);
        note(`lost ${job + 1}.${k}`);
        p.stop(words, 0);
      }
      ops.store(words, PRESENT + w, 0);
    };
    for (let job = first; job < chunks.length; job += 1) {
      const count = chunks[job]!;
      if (phase === DESCRIBE) {
        expectNobodyInside('describes');
        const ran = begun[job] ?? 0;
        words[LANE.CLAIM] = ran;
        words[LANE.COUNT] = count;
        words[LANE.JOB] = job + 1;
        words[LANE.STOPPED] = 0;
        words[LANE.WAITING] = 0;
        for (let k = 0; k < count; k += 1) {
          if (k < ran) note(`run ${job + 1}.${k}`);
          words[CHUNKS + k] = k < ran ? DONE : NONE;
        }
        p.open(words, 0);
        phase = OPEN;
        here(job);
      }
      if (phase === OPEN) {
        for (;;) {
          noticeDeath(job);
          const k = p.claim(words, 0);
          if (k < 0) break;
          words[CHUNKS + k] = RUNNING;
          note(`run ${job + 1}.${k}`);
          words[CHUNKS + k] = DONE;
          here(job);
        }
        p.close(words, 0);
        phase = CLOSED;
        here(job);
      }
      for (let w = 1; w <= helpers;) {
        noticeDeath(job);
        if (p.hasLeft(words, PRESENT, w)) {
          w += 1;
          continue;
        }
        ops.store(words, LANE.WAITING, 1);
        // The message of `leave`, or of a death, ends the wait.
        if (!p.hasLeft(words, PRESENT, w)) wait(PRESENT + w, 1, dead === 0 ? DEATH : undefined);
      }
      expectNobodyInside('gathers');
      gather(tools, job, count, dead === 1 && forgetful !== true, coarse);
      phase = DESCRIBE;
      here(job + 1);
    }
    ops.store(words, OVER, 1);
  };
}

/** All have left: what does each chunk's word say? */
function gather(
  { ops, area, note }: ThreadTools,
  job: number,
  count: number,
  mayHaveLost: boolean,
  coarse: boolean,
): void {
  const words = area(0);
  const stopped = words[LANE.STOPPED] !== 0;
  for (let k = 0; k < count; k += 1) {
    const word = coarse ? words[CHUNKS + k]! : ops.load(words, CHUNKS + k);
    const phase = word & ((1 << PHASE_BITS) - 1);
    if (phase === RUNNING) note(`chunk ${k} of job ${job + 1} runs after all have left`);
    if (phase !== NONE) continue;
    // Claimed by a thread that died before it began: nobody has touched it, so it can be run here.
    if (mayHaveLost && !stopped) note(`run ${job + 1}.${k}`);
    else if (stopped) note(`lost ${job + 1}.${k}`);
  }
}

function helperThread(
  { make = makeLaneProtocol, mortal = false, coarse = false }: LaneConfig,
  w: number,
): ModelThread {
  return ({ ops, area, until, atomic, notify, note, mark, resumed = 0 }) => {
    const p = make(coarse ? withLooks(ops, [LANE.STOPPED, LANE.COUNT]) : ops);
    const words = area(0);
    // The opening that this helper has finished with, and the one that it is in.
    let exhausted = resumed & 15;
    let inside = resumed >> 4;
    const here = (): void => {
      mark(exhausted | (inside << 4));
    };
    const isWanted = (all: Words): boolean =>
      all[OVER] === 1 || ((all[LANE.GATE]! & 1) === 1 && all[LANE.GATE] !== exhausted);
    for (;;) {
      if (inside === 0) {
        until(isWanted);
        const over = coarse ? words[OVER]! : ops.load(words, OVER);
        if (over === 1) return;
        const gate = coarse ? words[LANE.GATE]! : ops.load(words, LANE.GATE);
        if ((gate & 1) === 0 || gate === exhausted) {
          here();
          continue;
        }
        if (p.join(words, 0, PRESENT, w, gate)) {
          inside = gate;
          if (coarse) words[INSIDE + w] = 1;
          here();
        }
      }
      while (inside !== 0) {
        const job = words[LANE.JOB]!;
        if (job !== (inside + 1) / 2) note(`helper of job ${(inside + 1) / 2} reads job ${job}`);
        const k = p.claim(words, 0);
        if (k < 0) {
          exhausted = inside;
          inside = 0;
          if (coarse) words[INSIDE + w] = 0;
          break;
        }
        const run = (): void => {
          ops.store(words, CHUNKS + k, RUNNING | (w << PHASE_BITS));
          note(`run ${job}.${k}`);
          ops.store(words, CHUNKS + k, DONE | (w << PHASE_BITS));
        };
        // Without deaths nobody looks at a chunk's word before all have left.
        if (mortal) run();
        else if (coarse) {
          note(`run ${job}.${k}`);
          words[CHUNKS + k] = DONE | (w << PHASE_BITS);
        } else atomic(run);
        here();
      }
      if (p.leave(words, 0, PRESENT, w) !== 0) notify(PRESENT + w);
      here();
    }
  };
}
