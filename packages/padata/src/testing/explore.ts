/**
 * The deterministic scheduler: runs threads that share words through every interleaving of their atomic
 * steps, with the code that ships.
 *
 * A thread is an ordinary synchronous function that does all its sharing through the `AtomicOps` it is given.
 * It cannot be suspended, but it can be run again: to let a thread take one step more, it is run from the
 * start with the answers of its earlier steps, and stopped by an exception at the first step that has no
 * answer yet. Threads must therefore be deterministic between steps and keep their state in local variables.
 *
 * ```
 *   state = (words, answers of each thread)      step of thread t: replay t, do its next operation
 *   explore: depth first over "which thread is next"; states met before are not visited again
 * ```
 * Plain writes to the words count as done together with the step before them.
 */
import type { AtomicOps, Words } from '../protocol/atomic-ops.js';

/** What a thread gets. */
export interface ThreadTools {
  readonly ops: AtomicOps;
  /** The shared words from this one on, as an object of its own; plain writes go to `plain`. */
  readonly area: (base: number) => Words;
  /** Sleeps while the word has this value (as Atomics.wait); goes on when it is woken or differs. */
  readonly wait: (index: number, value: number) => void;
  /** Wakes all threads that wait on a word. */
  readonly notify: (index: number) => void;
  /**
   * Says that what this thread does from here depends on `state` alone, not on what it saw before; it is then
   * run again from the start with `resumed` = state. Keeps the number of states small.
   */
  readonly mark: (state: number) => void;
  /** The state of the last `mark`; undefined at first. */
  readonly resumed: number | undefined;
  /** Adds an entry to the history of this run, in the order of the steps. */
  readonly note: (entry: string) => void;
}

/** One thread of a model. */
export type ModelThread = (tools: ThreadTools) => void;

/** A model to be explored. */
export interface Model {
  /** Number of shared words. */
  readonly words: number;
  /** Fills the words before the threads start. */
  setup?(words: Words): void;
  readonly threads: readonly ModelThread[];
  /** What matters of a history so far; default: all of it, in order. */
  summary?(history: readonly string[]): string;
  /** Checks one complete run; throws or returns a text when something is wrong. */
  check(words: Words, history: readonly string[]): string | undefined;
}

/** What exploring found. */
export interface Exploration {
  /** Complete runs. */
  readonly runs: number;
  /** Different states met. */
  readonly states: number;
  /** First violation with the schedule that leads to it; undefined = none. */
  readonly violation:
    | {
        readonly text: string;
        readonly schedule: readonly number[];
        readonly history: readonly string[];
      }
    | undefined;
}

/** A step's place in a thread: stops the replay. */
class Stop extends Error {}
/** One for all: an exception costs much when it has to look at the stack. */
const STOP = new Stop();

/** What a thread did at one step. */
interface Answer {
  readonly value: number;
}

interface ThreadState {
  answers: Answer[];
  resumed: number | undefined;
  /** Has done its first step. */
  begun: boolean;
  done: boolean;
  /** Word it sleeps on; -1 = runnable. */
  waiting: number;
}

interface World {
  readonly words: Int32Array;
  readonly threads: ThreadState[];
  readonly history: string[];
}

const DEFAULT_LIMIT = 2_000_000;

/**
 * Visits every interleaving.
 * @param model threads and check
 * @param limit states at most
 * @returns runs, states and the first violation; a deadlock is a violation
 * @throws RangeError when the model has more states than the limit
 */
export function explore(model: Model, limit = DEFAULT_LIMIT): Exploration {
  const first: World = {
    words: new Int32Array(model.words),
    threads: model.threads.map(() => ({
      answers: [],
      resumed: undefined,
      begun: false,
      done: false,
      waiting: -1,
    })),
    history: [],
  };
  model.setup?.(first.words);
  const seen = new Set<string>();
  /** Words that some step has written; the others are as in the beginning. */
  const touched = new Set<number>();
  const stack: { world: World; schedule: number[] }[] = [{ world: first, schedule: [] }];
  let runs = 0;
  while (stack.length > 0) {
    const { world, schedule } = stack.pop()!;
    const key = keyOf(model, world, touched);
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > limit) throw new RangeError(`more than ${limit} states`);
    const runnable = world.threads.flatMap((t, i) => (t.done || t.waiting >= 0 ? [] : [i]));
    if (runnable.length === 0) {
      runs += 1;
      const asleep = world.threads.flatMap((t, i) => (t.done ? [] : [i]));
      const text =
        asleep.length > 0
          ? `deadlock: threads ${asleep.join(', ')} sleep for ever`
          : model.check(world.words, world.history);
      if (text !== undefined) {
        const violation = { text, schedule, history: world.history };
        return { runs, states: seen.size, violation };
      }
      continue;
    }
    for (const thread of runnable) {
      const next = copy(world);
      const text = step(model, next, thread, touched);
      const path = [...schedule, thread];
      if (text !== undefined) {
        const violation = { text, schedule: path, history: next.history };
        return { runs, states: seen.size, violation };
      }
      stack.push({ world: next, schedule: path });
    }
  }
  return { runs, states: seen.size, violation: undefined };
}

/** Lets one thread do its next operation; returns the text of an exception that the thread threw. */
function step(model: Model, world: World, index: number, touched: Set<number>): string | undefined {
  const state = world.threads[index]!;
  const known = state.answers.length;
  let position = 0;
  let pendingPlain: [number, number][] = [];
  let pendingNotes: string[] = [];
  let marked: number | undefined;
  const settle = (): void => {
    for (const [at, value] of pendingPlain) {
      world.words[at] = value;
      touched.add(at);
    }
    world.history.push(...pendingNotes);
  };
  /** Replays an answer, or does the operation, or stops. */
  const operate = (operation: () => number): number => {
    if (position < known) {
      pendingPlain = [];
      pendingNotes = [];
      return state.answers[position++]!.value;
    }
    if (position > known) throw STOP;
    // What came before the first operation of all; later, the step before has settled it.
    if (!state.begun) settle();
    state.begun = true;
    pendingPlain = [];
    pendingNotes = [];
    position += 1;
    const value = operation();
    state.answers.push({ value });
    marked = undefined;
    return value;
  };
  const { words } = world;
  const write = (at: number, value: number): void => {
    words[at] = value;
    touched.add(at);
  };
  const bases = new WeakMap<object, number>();
  const place = (w: Words, at: number): number => (bases.get(w) ?? 0) + at;
  const ops: AtomicOps = {
    load: (w, at) => operate(() => words[place(w, at)]!),
    store: (w, at, value) =>
      operate(() => {
        write(place(w, at), value);
        return value;
      }),
    add: (w, at, value) =>
      operate(() => {
        const old = words[place(w, at)]!;
        write(place(w, at), old + value);
        return old;
      }),
    exchange: (w, at, value) =>
      operate(() => {
        const old = words[place(w, at)]!;
        write(place(w, at), value);
        return old;
      }),
    compareExchange: (w, at, expected, value) =>
      operate(() => {
        const old = words[place(w, at)]!;
        if (old === expected) write(place(w, at), value);
        return old;
      }),
  };
  const tools: ThreadTools = {
    ops,
    area(base) {
      const view = new Proxy(words.subarray(base), {
        set(_target, property, value: number) {
          pendingPlain.push([base + Number(property), value]);
          return true;
        },
      });
      bases.set(view, base);
      return view;
    },
    wait(at, value) {
      operate(() => {
        if (words[at] === value) state.waiting = at;
        return 0;
      });
    },
    notify(at) {
      operate(() => {
        for (const other of world.threads) if (other.waiting === at) other.waiting = -1;
        return 0;
      });
    },
    mark(mark) {
      if (position > known) marked = mark;
    },
    resumed: state.resumed,
    note(entry) {
      pendingNotes.push(entry);
    },
  };
  try {
    model.threads[index]!(tools);
    // It returned: what it wrote and noted after its last step belongs to that step.
    settle();
    state.done = true;
  } catch (error) {
    if (!(error instanceof Stop)) {
      return error instanceof Error ? error.message : String(error);
    }
    settle();
    if (marked !== undefined) {
      state.resumed = marked;
      state.answers = [];
    }
  }
  return undefined;
}

function copy(world: World): World {
  return {
    words: world.words.slice(),
    threads: world.threads.map((t) => ({ ...t, answers: [...t.answers] })),
    history: [...world.history],
  };
}

/** Two worlds with the same key go on in the same way. */
function keyOf(model: Model, world: World, touched: ReadonlySet<number>): string {
  const threads = world.threads.map(
    (t) => `${t.done ? 'd' : t.waiting}:${t.resumed}:${t.answers.map((a) => a.value).join(',')}`,
  );
  let words = '';
  for (const at of touched) {
    const value = world.words[at]!;
    if (value !== 0) words += `${at}:${value},`;
  }
  const history = model.summary?.(world.history) ?? world.history.join(';');
  return `${words}|${threads.join('|')}|${history}`;
}
