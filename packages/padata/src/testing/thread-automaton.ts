/**
 * A thread of a model as an automaton: what it does next, given what it was answered so far.
 *
 * ```
 *   function + answers  ── run from the start, stop at the first operation without an answer ──▶ node
 *   node ── answer ──▶ edge (plain writes, notes) ──▶ next node
 * ```
 * A synchronous function cannot be suspended, but it can be run again with the answers of its earlier steps. Each
 * such run is made once and remembered, so exploring millions of states runs the functions a few thousand times.
 * Threads must be deterministic between operations and keep their state in local variables. Plain reads of shared
 * words are answered too, but are no step of their own: nothing happens between them and the step before.
 */
import type { AtomicOps, Words } from '../protocol/atomic-ops.js';
import type { ModelThread, ThreadTools } from './model.js';

/** Kinds of operations. */
export const OpKind = {
  LOAD: 0,
  STORE: 1,
  ADD: 2,
  EXCHANGE: 3,
  COMPARE_EXCHANGE: 4,
  WAIT: 5,
  /** Blocked until a condition on the words holds. */
  UNTIL: 6,
  /** A plain read: done together with the step before. */
  READ: 7,
  /** Wakes sleepers: done together with the step before. */
  NOTIFY: 8,
} as const;

/** What a thread wants to do next. */
interface Op {
  readonly kind: number;
  readonly at: number;
  readonly value: number;
  readonly expected: number;
  readonly condition: ((words: Words) => boolean) | undefined;
  /** Done together with the step before. */
  readonly glued: boolean;
}

/** What goes with an answer: plain writes, notes, and where the thread is then. */
export interface Edge {
  readonly writes: readonly (readonly [number, number])[];
  readonly notes: readonly string[];
  readonly target: ThreadNode;
  /** The thread threw. */
  readonly error: string | undefined;
}

/** A place in a thread. */
export interface ThreadNode {
  readonly id: number;
  /** undefined = the thread has ended. */
  readonly op: Op | undefined;
  /** Done before the first operation of all. */
  readonly before: Edge | undefined;
  readonly edges: Map<number, Edge>;
  readonly resumed: number | undefined;
  readonly answers: readonly number[];
}

/** Number of every place where a thread has ended. */
const ENDED = 0;

/** Stops a run; one for all, because an exception that looks at the stack costs much. */
class Stop extends Error {}
const STOP = new Stop();

interface Outcome {
  readonly op: Op | undefined;
  readonly writes: readonly (readonly [number, number])[];
  readonly notes: readonly string[];
  readonly marked: number | undefined;
  readonly error: string | undefined;
}

/** The remembered runs of one thread function. */
export class ThreadAutomaton {
  readonly start: ThreadNode;
  readonly #thread: ModelThread;
  readonly #nodes = new Map<string, ThreadNode>();
  readonly #nextId: () => number;

  /** @param nextId gives numbers > 0 that no other node of the model has */
  constructor(thread: ModelThread, nextId: () => number) {
    this.#thread = thread;
    this.#nextId = nextId;
    this.start = this.#node(undefined, []);
  }

  /** What happens when the operation of `node` is answered so. */
  answer(node: ThreadNode, value: number): Edge {
    let edge = node.edges.get(value);
    if (edge === undefined) {
      const answers = [...node.answers, value];
      const { writes, notes, marked, error } = this.#run(node.resumed, answers);
      const target =
        marked === undefined ? this.#node(node.resumed, answers) : this.#node(marked, []);
      edge = { writes, notes, target, error };
      node.edges.set(value, edge);
    }
    return edge;
  }

  #node(resumed: number | undefined, answers: readonly number[]): ThreadNode {
    const key = `${resumed}:${answers.join()}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      const { op, writes, notes, error } = this.#run(resumed, answers);
      const isFirst = resumed === undefined && answers.length === 0;
      const id = op === undefined ? ENDED : this.#nextId();
      node = { id, op, before: undefined, edges: new Map(), resumed, answers };
      if (isFirst && (writes.length > 0 || notes.length > 0 || error !== undefined)) {
        node = { ...node, before: { writes, notes, target: node, error } };
      }
      this.#nodes.set(key, node);
    }
    return node;
  }

  /** Runs the function with these answers; what it did after the last of them, and what it wants then. */
  #run(resumed: number | undefined, answers: readonly number[]): Outcome {
    let position = 0;
    let writes: [number, number][] = [];
    let notes: string[] = [];
    let marked: number | undefined;
    let op: Op | undefined;
    let depth = 0;
    let isFirst = false;
    const operate = (
      kind: number,
      at: number,
      value: number,
      expected: number,
      condition?: (words: Words) => boolean,
    ): number => {
      // After STOP a `finally` of the thread may still operate.
      if (op !== undefined) throw STOP;
      if (position === answers.length) {
        const glued = kind >= OpKind.READ || (depth > 0 && !isFirst);
        op = { kind, at, value, expected, condition, glued };
        throw STOP;
      }
      if (depth > 0) isFirst = false;
      writes = [];
      notes = [];
      marked = undefined;
      return answers[position++]!;
    };
    const bases = new WeakMap<object, number>();
    const place = (words: Words, at: number): number => (bases.get(words) ?? 0) + at;
    const ops: AtomicOps = {
      load: (w, at) => operate(OpKind.LOAD, place(w, at), 0, 0),
      store: (w, at, value) => operate(OpKind.STORE, place(w, at), value, 0),
      add: (w, at, value) => operate(OpKind.ADD, place(w, at), value, 0),
      exchange: (w, at, value) => operate(OpKind.EXCHANGE, place(w, at), value, 0),
      compareExchange: (w, at, expected, value) =>
        operate(OpKind.COMPARE_EXCHANGE, place(w, at), value, expected),
    };
    const tools: ThreadTools = {
      ops,
      area(base) {
        const view = new Proxy(new Int32Array(0), {
          get(_target, property) {
            // A plain read after a plain write of the same thread sees that write.
            const at = base + Number(property);
            const own = writes.findLast(([w]) => w === at);
            return own === undefined ? operate(OpKind.READ, at, 0, 0) : own[1];
          },
          set(_target, property, value: number) {
            writes.push([base + Number(property), value]);
            return true;
          },
        });
        bases.set(view, base);
        return view;
      },
      wait(at, value, unless = -1) {
        operate(OpKind.WAIT, at, value, unless);
      },
      until(condition) {
        operate(OpKind.UNTIL, 0, 0, 0, condition);
      },
      notify(at) {
        operate(OpKind.NOTIFY, at, 0, 0);
      },
      atomic(steps) {
        if (depth === 0) isFirst = true;
        depth += 1;
        const value = steps();
        depth -= 1;
        return value;
      },
      mark(mark) {
        if (answers.length > 0 && position === answers.length) marked = mark;
      },
      resumed,
      note(entry) {
        notes.push(entry);
      },
    };
    try {
      this.#thread(tools);
    } catch (error) {
      if (!(error instanceof Stop)) {
        const text = error instanceof Error ? error.message : String(error);
        return { op: undefined, writes, notes, marked: undefined, error: text };
      }
    }
    return { op, writes, notes, marked, error: undefined };
  }
}
