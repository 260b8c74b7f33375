/**
 * The deterministic scheduler: runs threads that share words through every interleaving of their atomic
 * steps, with the code that ships.
 *
 * ```
 *   state = (words, place of each thread, what matters of the history)
 *   explore: depth first over "which thread is next"; a state met before is not visited again
 * ```
 * Three things keep it small: threads are automata (`thread-automaton.ts`), so a step is a look-up; states are
 * known by their hash; threads that are the same function are sorted by place before hashing, so states that
 * differ only by who is who are one. Schedules are counted by adding up those of a state's successors, so their
 * number is that of all interleavings although each state is visited once.
 * Plain writes to the words count as done together with the step before them.
 */
import type { Exploration, Model } from './model.js';
import { StateSet } from './state-set.js';
import { OpKind, ThreadAutomaton } from './thread-automaton.js';
import type { Edge, ThreadNode } from './thread-automaton.js';

const DEFAULT_LIMIT = 2_000_000;
/** Place of a thread that has died. */
const DEAD = -1;
/** A state whose schedules are being counted. */
const OPEN = -1;
const { imul } = Math;

/** One state on the path from the beginning. */
interface Frame {
  readonly words: Int32Array;
  readonly nodes: (ThreadNode | undefined)[];
  /** Word on which a thread sleeps; -1 = none. */
  readonly waiting: Int32Array;
  history: History;
  low: number;
  high: number;
  /** Next choice to try, and the one just taken. */
  next: number;
  taken: number;
  schedules: number;
}

/** A history as a tree that grows: states share their beginnings. */
interface History {
  readonly entries: readonly string[];
  readonly summary: number;
  readonly after: Map<string, History>;
}

/**
 * Visits every interleaving.
 * @param model threads and check
 * @param limit states at most
 * @returns runs, states, schedules and the first violation; a deadlock is a violation
 * @throws RangeError when the model has more states than the limit
 */
export function explore(model: Model, limit = DEFAULT_LIMIT): Exploration {
  return new Explorer(model, limit).explore();
}

class Explorer {
  readonly #model: Model;
  readonly #limit: number;
  readonly #automata: ThreadAutomaton[] = [];
  /** Threads by function. */
  readonly #classes: number[][] = [];
  readonly #seen = new StateSet();
  readonly #initial: Int32Array;
  /** Words that some step has changed, in the order in which that was seen; and the same as a set. */
  readonly #touched: number[] = [];
  readonly #isTouched: Uint8Array;
  readonly #summaries = new Map<string, number>();
  readonly #frames: Frame[] = [];
  readonly #sorted: number[];
  #runs = 0;

  constructor(model: Model, limit: number) {
    this.#model = model;
    this.#limit = limit;
    this.#initial = new Int32Array(model.words);
    this.#isTouched = new Uint8Array(model.words);
    model.setup?.(this.#initial);
    let ids = 1;
    const byFunction = new Map<unknown, number>();
    model.threads.forEach((thread, index) => {
      const known = byFunction.get(thread);
      // A thread that may die is told apart from its likes.
      if (known !== undefined && model.mortal?.thread !== index) {
        this.#automata.push(this.#automata[this.#classes[known]![0]!]!);
        this.#classes[known]!.push(index);
        return;
      }
      if (model.mortal?.thread !== index) byFunction.set(thread, this.#classes.length);
      this.#classes.push([index]);
      this.#automata.push(new ThreadAutomaton(thread, () => ids++));
    });
    this.#sorted = new Array<number>(model.threads.length).fill(0);
  }

  explore(): Exploration {
    const first = this.#frame(0);
    first.words.set(this.#initial);
    this.#automata.forEach((automaton, i) => (first.nodes[i] = automaton.start));
    first.history = { entries: [], summary: this.#summarise([]), after: new Map() };
    this.#hash(first);
    const text = this.#enter(first, 0);
    if (text !== undefined) return this.#report(text, 0);
    let depth = 0;
    for (;;) {
      const frame = this.#frames[depth]!;
      const choice = this.#choose(frame);
      if (choice < 0) {
        this.#seen.set(this.#seen.find(frame.low, frame.high), frame.schedules);
        if (depth === 0) {
          return {
            runs: this.#runs,
            states: this.#seen.size,
            schedules: frame.schedules,
            violation: undefined,
          };
        }
        depth -= 1;
        this.#frames[depth]!.schedules += frame.schedules;
        continue;
      }
      frame.taken = choice;
      const next = this.#frame(depth + 1);
      const wrong = this.#step(frame, next, choice);
      if (wrong !== undefined) return this.#report(wrong, depth + 1, next.history);
      this.#hash(next);
      const at = this.#seen.find(next.low, next.high);
      if (this.#seen.has(at)) {
        const schedules = this.#seen.get(at);
        if (schedules !== OPEN) frame.schedules += schedules;
        continue;
      }
      const violation = this.#enter(next, at);
      if (violation !== undefined) return this.#report(violation, depth + 1);
      depth += 1;
    }
  }

  /** Notes a new state; checks it if it is an end. */
  #enter(frame: Frame, at: number): string | undefined {
    frame.next = 0;
    frame.schedules = 0;
    const place = at === 0 ? this.#seen.find(frame.low, frame.high) : at;
    this.#seen.insert(place, frame.low, frame.high, OPEN);
    if (this.#seen.size > this.#limit) throw new RangeError(`more than ${this.#limit} states`);
    let asleep = '';
    for (let i = 0; i < frame.nodes.length; i += 1) {
      if (frame.nodes[i]?.op === undefined) continue;
      if (this.#isRunnable(frame, i)) return undefined;
      asleep += ` ${i}`;
    }
    this.#runs += 1;
    frame.schedules = 1;
    if (asleep !== '') return `deadlock: threads${asleep} sleep for ever`;
    return this.#model.check(frame.words, frame.history.entries);
  }

  #isRunnable(frame: Frame, i: number): boolean {
    const op = frame.nodes[i]?.op;
    if (op === undefined || frame.waiting[i]! >= 0) return false;
    return op.kind !== OpKind.UNTIL || op.condition!(frame.words);
  }

  /** Next thread to run, or to die (count of threads added); -1 = all were tried. */
  #choose(frame: Frame): number {
    const count = frame.nodes.length;
    const { mortal } = this.#model;
    while (frame.next < count) {
      const i = frame.next++;
      if (this.#isRunnable(frame, i)) return i;
    }
    if (frame.next === count) {
      frame.next += 1;
      if (mortal !== undefined && frame.nodes[mortal.thread]?.op !== undefined) {
        return count + mortal.thread;
      }
    }
    return -1;
  }

  /** Does one step of a thread; returns what the thread threw. */
  #step(from: Frame, to: Frame, choice: number): string | undefined {
    to.words.set(from.words);
    to.waiting.set(from.waiting);
    for (let i = 0; i < from.nodes.length; i += 1) to.nodes[i] = from.nodes[i];
    to.history = from.history;
    const count = from.nodes.length;
    if (choice >= count) {
      const { thread, word, told } = this.#model.mortal!;
      to.nodes[thread] = undefined;
      to.waiting[thread] = -1;
      to.waiting[told] = -1;
      this.#write(to, word, 1);
      return undefined;
    }
    const node = from.nodes[choice]!;
    if (node.before !== undefined) {
      const wrong = this.#apply(to, node.before);
      if (wrong !== undefined) return wrong;
    }
    return this.#follow(to, choice, node, this.#operate(to, choice, node));
  }

  /** Does an operation; returns its answer. */
  #operate(to: Frame, index: number, node: ThreadNode): number {
    const { kind, at, value, expected } = node.op!;
    const old = to.words[at]!;
    switch (kind) {
      case OpKind.STORE:
        this.#write(to, at, value);
        return value;
      case OpKind.ADD:
        this.#write(to, at, old + value);
        return old;
      case OpKind.EXCHANGE:
        this.#write(to, at, value);
        return old;
      case OpKind.COMPARE_EXCHANGE:
        if (old === expected) this.#write(to, at, value);
        return old;
      case OpKind.WAIT:
        if (old === value && (expected < 0 || to.words[expected] === 0)) to.waiting[index] = at;
        return 0;
      case OpKind.NOTIFY:
        for (let i = 0; i < to.nodes.length; i += 1) {
          if (to.waiting[i] === at) to.waiting[i] = -1;
        }
        return 0;
      default:
        return old;
    }
  }

  /** Moves a thread on with an answer, and through the plain reads that follow. */
  #follow(to: Frame, index: number, node: ThreadNode, answer: number): string | undefined {
    let value = answer;
    let at = node;
    for (;;) {
      const edge = this.#automata[index]!.answer(at, value);
      const wrong = this.#apply(to, edge);
      if (wrong !== undefined) return wrong;
      at = edge.target;
      if (at.op?.glued !== true) break;
      value = this.#operate(to, index, at);
    }
    to.nodes[index] = at;
    return undefined;
  }

  #apply(to: Frame, edge: Edge): string | undefined {
    for (const [at, value] of edge.writes) this.#write(to, at, value);
    for (const note of edge.notes) {
      const { history } = to;
      let next = history.after.get(note);
      if (next === undefined) {
        const entries = [...history.entries, note];
        next = { entries, summary: this.#summarise(entries), after: new Map() };
        history.after.set(note, next);
      }
      to.history = next;
    }
    return edge.error;
  }

  #write(to: Frame, at: number, value: number): void {
    to.words[at] = value;
    if (this.#isTouched[at] === 0) {
      this.#isTouched[at] = 1;
      this.#touched.push(at);
    }
  }

  #summarise(entries: readonly string[]): number {
    const text = this.#model.summary?.(entries) ?? entries.join(';');
    let id = this.#summaries.get(text);
    if (id === undefined) this.#summaries.set(text, (id = this.#summaries.size));
    return id;
  }

  /** Hash of a state: the same for states that go on in the same way. */
  #hash(frame: Frame): void {
    let a = 0x9e3779b9;
    let b = 0x3c6ef372;
    const mix = (value: number): void => {
      let k = imul(value, 0xcc9e2d51);
      a ^= imul((k << 15) | (k >>> 17), 0x1b873593);
      a = (imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
      k = imul(value, 0x239b961b);
      b ^= imul((k << 16) | (k >>> 16), 0xab0e9789);
      b = (imul((b << 19) | (b >>> 13), 5) + 0x561ccd1b) | 0;
    };
    mix(frame.history.summary);
    const { words } = frame;
    for (const at of this.#touched) {
      // Words as in the beginning are left out, so that touching one more changes no hash.
      const value = words[at]! - this.#initial[at]!;
      if (value === 0) continue;
      mix(at);
      mix(value);
    }
    const sorted = this.#sorted;
    for (const members of this.#classes) {
      for (let k = 0; k < members.length; k += 1) {
        const i = members[k]!;
        const place = ((frame.nodes[i]?.id ?? DEAD) + 1) * 4096 + frame.waiting[i]! + 1;
        let j = k;
        while (j > 0 && sorted[j - 1]! > place) {
          sorted[j] = sorted[j - 1]!;
          j -= 1;
        }
        sorted[j] = place;
      }
      for (let k = 0; k < members.length; k += 1) {
        mix(sorted[k]! | 0);
        mix(sorted[k]! / 0x100000000);
      }
      mix(-7);
    }
    a = scatter(a ^ b);
    b = scatter((b + a) | 0);
    frame.low = a >>> 0;
    // Never 0: that is an empty place.
    frame.high = (b | 1) >>> 0;
  }

  #frame(depth: number): Frame {
    let frame = this.#frames[depth];
    if (frame === undefined) {
      const count = this.#model.threads.length;
      frame = {
        words: new Int32Array(this.#model.words),
        nodes: new Array<ThreadNode | undefined>(count).fill(undefined),
        waiting: new Int32Array(count).fill(-1),
        history: undefined as unknown as History,
        low: 0,
        high: 0,
        next: 0,
        taken: 0,
        schedules: 0,
      };
      this.#frames.push(frame);
    }
    return frame;
  }

  #report(text: string, depth: number, history = this.#frames[depth]!.history): Exploration {
    const count = this.#model.threads.length;
    const schedule = this.#frames
      .slice(0, depth)
      .map(({ taken }) => (taken < count ? taken : count - 1 - taken));
    return {
      runs: this.#runs,
      states: this.#seen.size,
      schedules: 0,
      violation: { text, schedule, history: history.entries },
    };
  }
}

/** Lets every bit of a number change all the others. */
function scatter(value: number): number {
  let h = imul(value ^ (value >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
