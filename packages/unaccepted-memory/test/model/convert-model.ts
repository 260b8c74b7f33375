/**
 * Conversion as it ships (`ConvertProtocol`, `Announcements`), among threads that accept, allocate and free.
 *
 *     bits shared transit | slots | platform: a state a unit | block: free, allocated, shared; its lock | deaths
 *
 * A platform call has a beginning and an end; in between the unit's state is nobody's. Wrong is, at any step: two threads
 * inside one unit; a shared or accepted unit that is accepted; one that becomes private and was not shared; a block that
 * is freed, or used as private memory, while a unit of it is not private. A mortal thread may end at any of its steps; the
 * lock of the block is taken over from the dead, as the allocator's is.
 *
 * Each thread is a list of steps; what it holds it got from the setup (the block is allocated) or by `alloc`.
 */
import type { AtomicOps, Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import { Announcements, Work } from '../../dist/memory/announcements.js';
import type { WordOps } from '../../dist/memory/announcements.js';
import { ConvertProtocol } from '../../dist/memory/convert-protocol.js';
import type {
  ConvertHolder,
  ConvertRoster,
  ConvertTarget,
} from '../../dist/memory/convert-protocol.js';

const BITS = 0;
const SHARED = 1;
const TRANSIT = 2;
const CLAIMS = 3;
const LOCK = 4;
const BLOCK = 5;
/** By unit. */
const PLATFORM = 6;
/** By unit: thread that is inside. */
const INSIDE = 8;
/** By thread, from 1. */
const DEATH = 10;
const SLOTS = 16;
const WORDS = 40;

const PENDING = 0;
const ACCEPTED = 1;
const IS_SHARED = 2;
/** Between the beginning and the end of a call. */
const CHANGING = 3;
const FREE = 0;
const ALLOCATED = 1;
const MARKED = 2;

/** What a thread does, in order. Units are 0 and 1, both in one block. */
export type Step =
  | readonly ['convert', start: number, end: number, to: ConvertTarget]
  | readonly ['accept', start: number, end: number]
  /** Redoes the accept of a unit that it found claimed, as a backend that is repeatable concurrently would. */
  | readonly ['redo', unit: number]
  | readonly ['alloc']
  | readonly ['use']
  | readonly ['free']
  /** Goes on when that thread has ended; then makes everything private again and frees the block, which must work. */
  | readonly ['rescue', thread: number];

/** What is explored. */
export interface ConvertConfig {
  /** Steps of each thread. */
  readonly threads: readonly (readonly Step[])[];
  /** Thread, from 1, that may end at any of its steps. */
  readonly mortal?: number;
  /** Units that are accepted at the start; default both. */
  readonly accepted?: readonly number[];
  /** Units that are shared at the start; then the block is marked. */
  readonly shared?: readonly number[];
  /** The block is free at the start; default allocated. */
  readonly free?: boolean;
  /** Takes the words of an announcement together, and what a lock guards as far as it is one word: for larger cases. */
  readonly coarse?: boolean;
  readonly broken?: ConvertMistake;
}

/** Mistakes that the exploration has to find. */
export type ConvertMistake =
  | 'look-before-announce'
  | 'silence-is-death'
  | 'transit-cleared-first'
  | 'shared-set-after'
  | 'shared-cleared-before'
  | 'mark-before-bits'
  | 'settle-without-looking'
  | 'settle-before-clear'
  | 'not-marked'
  | 'in-doubt-is-shared';

const DIED = new Error('died');

/** The model of a configuration. */
export function convertModel(config: ConvertConfig): Model {
  const { accepted = [0, 1], shared = [], free = false, mortal } = config;
  return {
    words: WORDS,
    setup(words) {
      words[BITS] = 3;
      for (const unit of accepted) {
        words[BITS] &= ~(1 << unit);
        words[PLATFORM + unit] = ACCEPTED;
      }
      for (const unit of shared) {
        words[SHARED]! |= 1 << unit;
        words[PLATFORM + unit] = IS_SHARED;
      }
      words[BLOCK] = free ? FREE : shared.length > 0 ? MARKED : ALLOCATED;
    },
    threads: [
      ...config.threads.map((steps, i) => member(config, i + 1, steps)),
      ...(mortal === undefined ? [] : [killer(mortal)]),
    ],
    check(words) {
      for (let id = 1; id <= config.threads.length; id += 1) {
        if (id !== mortal && words[SLOTS + id * 4 + 2] !== 0)
          return 'an announcement was left behind';
      }
      if (mortal === undefined && words[TRANSIT] !== 0) return 'a unit was left in transit';
      const open = words[SHARED]! | words[TRANSIT]!;
      if (open !== 0 && words[BLOCK] !== MARKED) return 'a block with a shared part is not marked';
      if (mortal === undefined && open === 0 && words[BLOCK] === MARKED)
        return 'a mark was left behind';
      return undefined;
    },
  };
}

function killer(thread: number): ModelThread {
  return ({ ops, area }) => {
    ops.store(area(0), DEATH + thread, 1);
  };
}

/** Operations of one thread: bits as one step each; a mortal one's end where its killer has been there. */
function opsOf(
  { ops, area, atomic }: ThreadTools,
  id: number,
  mortal: boolean,
): WordOps & AtomicOps {
  const all = area(0);
  const step = (operation: () => number): number =>
    atomic(() => {
      if (mortal && ops.load(all, DEATH + id) === 1) throw DIED;
      return operation();
    });
  return {
    load: (w, at) => step(() => ops.load(w, at)),
    store: (w, at, value) => step(() => ops.store(w, at, value)),
    add: (w, at, value) => step(() => ops.add(w, at, value)),
    exchange: (w, at, value) => step(() => ops.exchange(w, at, value)),
    compareExchange: (w, at, expected, value) =>
      step(() => ops.compareExchange(w, at, expected, value)),
    and: (w, at, value) => step(() => ops.exchange(w, at, ops.load(w, at) & value)),
    or: (w, at, value) => step(() => ops.exchange(w, at, ops.load(w, at) | value)),
  };
}

function member(config: ConvertConfig, id: number, steps: readonly Step[]): ModelThread {
  return (tools) => {
    try {
      const act = actions(config, tools, id);
      for (let i = tools.resumed ?? 0; i < steps.length; i += 1) {
        if (i > 0) tools.mark(i);
        act(steps[i]!);
      }
    } catch (error) {
      if (error !== DIED) throw error;
    }
  };
}

function actions(config: ConvertConfig, tools: ThreadTools, id: number): (step: Step) => void {
  const { broken } = config;
  const { area, atomic, until } = tools;
  const all = area(0);
  const ops = opsOf(tools, id, config.mortal === id);
  const views = { bits: area(BITS), shared: area(SHARED), transit: area(TRANSIT) };
  const hasEnded = (tag: number): boolean =>
    broken === 'silence-is-death' || ops.load(all, DEATH + tag) === 1;
  const announcements = new Announcements(ops, {
    words: area(SLOTS),
    at: 0,
    count: config.threads.length,
    hasEnded,
  });
  const protocol = brokenProtocol(broken, ops, views);

  const together = <T>(body: () => T): T => (config.coarse === true ? atomic(body) : body());
  const find = (start: number, end: number) =>
    together(() => announcements.find(Work.CONVERT, start, end, id));

  const locked = <T>(body: () => T): T => {
    for (;;) {
      until((words) => {
        const owner = words[LOCK]!;
        return owner === 0 || words[DEATH + owner] === 1 || words[DEATH + id] === 1;
      });
      const got = together(() => {
        const owner = ops.load(all, LOCK);
        const open = owner === 0 || ops.load(all, DEATH + owner) === 1;
        return open && ops.compareExchange(all, LOCK, owner, id) === owner;
      });
      if (got) break;
    }
    const result = body();
    ops.store(all, LOCK, 0);
    return result;
  };

  const holder: ConvertHolder = {
    hold: (start) =>
      locked(() => {
        const held = together(() => {
          if (ops.load(all, BLOCK) === FREE) return false;
          if (broken !== 'not-marked') ops.store(all, BLOCK, MARKED);
          return true;
        });
        return held ? undefined : start;
      }),
    settle: () => {
      locked(() => {
        if (ops.load(all, BLOCK) !== MARKED) return;
        if (broken === 'settle-without-looking' || !protocol.any(0, 2)) {
          ops.store(all, BLOCK, ALLOCATED);
        }
      });
    },
  };

  const roster: ConvertRoster = {
    announce: (start, end) => {
      if (broken === 'look-before-announce') return;
      together(() => {
        announcements.announce(id, id, Work.CONVERT, start, end);
      });
    },
    other: (start, end) => {
      const found = find(start, end);
      if (broken === 'look-before-announce' && found === undefined) {
        announcements.announce(id, id, Work.CONVERT, start, end);
      }
      return found;
    },
    retract: () => {
      announcements.retract(id);
    },
  };

  /** One call of the platform: every unit of the range from one state to another. */
  const call = (start: number, end: number, to: number, from: readonly number[]): void => {
    atomic(() => {
      ops.load(all, LOCK); // ends here if it has to
      for (let unit = start; unit < end; unit += 1) {
        const inside = ops.load(all, INSIDE + unit);
        if (inside !== 0 && ops.load(all, DEATH + inside) === 0)
          throw new Error('two inside a unit');
        if (!from.includes(ops.load(all, PLATFORM + unit))) {
          throw new Error(`state ${ops.load(all, PLATFORM + unit)} becomes ${to}`);
        }
        ops.store(all, PLATFORM + unit, CHANGING);
        ops.store(all, INSIDE + unit, id);
      }
    });
    atomic(() => {
      ops.load(all, LOCK);
      for (let unit = start; unit < end; unit += 1) {
        ops.store(all, PLATFORM + unit, to);
        ops.store(all, INSIDE + unit, 0);
      }
    });
  };
  const ANY = [PENDING, ACCEPTED, IS_SHARED, CHANGING];

  const convert = (start: number, end: number, to: ConvertTarget): string => {
    const fault = protocol.convert({ start, end, to }, roster, holder, () => {
      if (to === 'shared') call(start, end, IS_SHARED, ANY);
      // What is known to be shared only: a page that may be accepted is not accepted again.
      else call(start, end, ACCEPTED, [IS_SHARED]);
    });
    return fault?.why ?? 'done';
  };

  const usable = (what: string): void => {
    for (let unit = 0; unit < 2; unit += 1) {
      if (ops.load(all, PLATFORM + unit) !== ACCEPTED)
        throw new Error(`${what} and it is not private`);
    }
  };

  const free = (): boolean =>
    locked(() =>
      atomic(() => {
        if (ops.load(all, BLOCK) !== ALLOCATED) return 0;
        usable('freed');
        ops.store(all, BLOCK, FREE);
        return 1;
      }),
    ) === 1;

  const rescue = (thread: number): void => {
    until((words) => words[DEATH + thread] === 1);
    // It was done with the block.
    if (ops.load(all, BLOCK) === FREE) return;
    for (let unit = 0; unit < 2; unit += 1) {
      if (protocol.state(unit) === 'in-doubt') convert(unit, unit + 1, 'shared');
      if (convert(unit, unit + 1, 'private') !== 'done') throw new Error('not private again');
    }
    if (!free() && ops.load(all, BLOCK) !== FREE) throw new Error('a mark was left behind');
  };

  return (step) => {
    switch (step[0]) {
      case 'convert':
        convert(step[1], step[2], step[3]);
        break;
      case 'accept':
        for (let unit = step[1]; unit < step[2]; unit += 1) {
          if (((ops.load(all, BITS) >> unit) & 1) === 0) continue;
          if (((ops.or(all, CLAIMS, 1 << unit) >> unit) & 1) === 1) continue;
          call(unit, unit + 1, ACCEPTED, [PENDING]);
          ops.and(all, BITS, ~(1 << unit));
        }
        break;
      case 'redo':
        if (((ops.load(all, BITS) >> step[1]) & 1) === 0) break;
        // As "touch": nothing happens to what is accepted.
        atomic(() => {
          const state = ops.load(all, PLATFORM + step[1]);
          if (state === IS_SHARED) throw new Error('a shared unit is accepted');
        });
        break;
      case 'alloc':
        // As long as it is not accepted nobody is given it.
        locked(() => {
          if (ops.load(all, BITS) === 0) ops.compareExchange(all, BLOCK, FREE, ALLOCATED);
        });
        break;
      case 'use':
        atomic(() => {
          if (ops.load(all, BLOCK) === ALLOCATED) usable('used');
        });
        break;
      case 'free':
        free();
        break;
      case 'rescue':
        rescue(step[1]);
        break;
    }
  };
}

/** The protocol that ships, or one with a mistake in the order of its steps. */
function brokenProtocol(
  broken: ConvertMistake | undefined,
  ops: WordOps,
  views: { bits: Int32Array; shared: Int32Array; transit: Int32Array },
): ConvertProtocol {
  const { shared, transit } = views;
  const right = new ConvertProtocol(ops, views);
  if (broken === 'in-doubt-is-shared') {
    // What was left half converted counts as shared.
    const state = right.state.bind(right);
    right.state = (unit) => {
      const found = state(unit);
      return found === 'in-doubt' ? 'shared' : found;
    };
    return right;
  }
  const orders: readonly (ConvertMistake | undefined)[] = [
    'transit-cleared-first',
    'shared-set-after',
    'shared-cleared-before',
    'mark-before-bits',
    'settle-before-clear',
  ];
  if (!orders.includes(broken)) return right;
  // The same steps, one pair of them in the other order.
  right.convert = ({ start, end, to }, roster, holder, platform) => {
    const mask = ((1 << end) - 1) & ~((1 << start) - 1);
    roster.announce(start, end);
    try {
      const by = roster.other(start, end);
      if (by !== undefined) return { why: 'busy', by };
      for (let unit = start; unit < end; unit += 1) {
        const found = right.state(unit);
        const fits =
          to === 'shared' ? found !== 'unaccepted' && found !== 'shared' : found === 'shared';
        if (to === 'private' && found === 'private') {
          holder.settle(start, end);
          return undefined;
        }
        if (!fits) return { why: 'state', unit, found };
      }
      if (broken === 'mark-before-bits' && holder.hold(start, end) !== undefined) {
        return { why: 'not-held', unit: start };
      }
      ops.or(transit, 0, mask);
      if (to === 'shared' && broken !== 'shared-set-after') ops.or(shared, 0, mask);
      if (broken !== 'mark-before-bits' && holder.hold(start, end) !== undefined) {
        if (to === 'shared') ops.and(shared, 0, ~mask);
        ops.and(transit, 0, ~mask);
        return { why: 'not-held', unit: start };
      }
      const clear = (): void => {
        if (broken === 'transit-cleared-first') ops.and(transit, 0, ~mask);
        if (to === 'private') ops.and(shared, 0, ~mask);
        if (broken !== 'transit-cleared-first') ops.and(transit, 0, ~mask);
      };
      if (broken === 'shared-cleared-before') clear();
      platform();
      if (to === 'shared' && broken === 'shared-set-after') {
        ops.and(transit, 0, ~mask);
        ops.or(shared, 0, mask);
      }
      if (broken === 'settle-before-clear') holder.settle(start, end);
      clear();
      if (broken !== 'settle-before-clear') holder.settle(start, end);
      return undefined;
    } finally {
      roster.retract();
    }
  };
  return right;
}

const SHARE = ['convert', 0, 1, 'shared'] as const;
const SHARE_1 = ['convert', 1, 2, 'shared'] as const;
const SHARE_BOTH = ['convert', 0, 2, 'shared'] as const;
const BACK = ['convert', 0, 1, 'private'] as const;
const BACK_1 = ['convert', 1, 2, 'private'] as const;
const BACK_BOTH = ['convert', 0, 2, 'private'] as const;

/** Every case that must hold, by what it is about. */
export const CASES: readonly (readonly [string, ConvertConfig])[] = [
  [
    'two who think that they hold a unit',
    {
      threads: [
        [SHARE, BACK],
        [SHARE_BOTH, BACK_BOTH],
      ],
    },
  ],
  ['three who think that they hold a unit', { threads: [[SHARE], [SHARE], [SHARE_BOTH]] }],
  [
    'two units of a block, each with its converter',
    {
      coarse: true,
      threads: [[SHARE], [SHARE_1, BACK_1]],
    },
  ],
  [
    'back by two, who both free',
    {
      coarse: true,
      shared: [0, 1],
      threads: [
        [BACK, ['free']],
        [BACK_1, ['free']],
      ],
    },
  ],
  [
    'one there, one back',
    { coarse: true, shared: [1], threads: [[SHARE, ['free']], [BACK_1, ['free']], [['use']]] },
  ],
  [
    'acceptance beside conversion',
    { accepted: [0], threads: [[SHARE, BACK], [['accept', 0, 2]], [['accept', 1, 2]]] },
  ],
  [
    'conversion of what is being accepted',
    { accepted: [], threads: [[SHARE, SHARE_BOTH], [['accept', 0, 2]], [['accept', 0, 2]]] },
  ],
  [
    'a block that comes and goes',
    {
      free: true,
      threads: [
        [['alloc'], SHARE, BACK, ['free']],
        [['alloc'], ['use'], ['free'], ['use']],
      ],
    },
  ],
  [
    'everything at once',
    {
      coarse: true,
      accepted: [0],
      free: true,
      threads: [
        [['accept', 1, 2], ['alloc'], SHARE_1, ['free']],
        [['alloc'], BACK_1, ['free'], ['use']],
      ],
    },
  ],
  ['a death on the way to shared', { mortal: 1, threads: [[SHARE, ['free']], [['rescue', 1]]] }],
  [
    'a death on the way back',
    { shared: [0], mortal: 1, threads: [[BACK, ['free']], [['rescue', 1]]] },
  ],
  [
    'a death among units of two',
    {
      coarse: true,
      shared: [0],
      mortal: 1,
      threads: [[BACK], [SHARE_1, ['rescue', 1]]],
    },
  ],
  [
    'a death, and one who wants the unit too',
    {
      mortal: 1,
      threads: [
        [SHARE_BOTH, BACK_BOTH],
        [SHARE, ['rescue', 1]],
      ],
    },
  ],
];

/** Cases too large for every day: `npm run soak -- convert-model`. */
export const LARGE_CASES: readonly (readonly [string, ConvertConfig])[] = [
  [
    'two units of a block, there and back',
    {
      coarse: true,
      threads: [
        [SHARE, BACK],
        [SHARE_1, BACK_1],
      ],
    },
  ],
  [
    'the same with frees',
    {
      coarse: true,
      threads: [
        [SHARE, BACK, ['free']],
        [SHARE_1, BACK_1, ['free']],
      ],
    },
  ],
  [
    'a death there or back, beside the other unit',
    {
      coarse: true,
      mortal: 1,
      threads: [
        [SHARE, BACK],
        [SHARE_1, BACK_1, ['rescue', 1]],
      ],
    },
  ],
  [
    'back by two, step by step',
    {
      shared: [0, 1],
      threads: [
        [BACK, ['free']],
        [BACK_1, ['free']],
      ],
    },
  ],
];

/** Mistakes, and a case in which each shows. */
export const CONVERT_MISTAKES: readonly (readonly [ConvertMistake, ConvertConfig])[] = [
  ['look-before-announce', { threads: [[SHARE], [SHARE]] }],
  [
    'silence-is-death',
    {
      threads: [
        [SHARE, BACK],
        [SHARE_BOTH, BACK_BOTH],
      ],
    },
  ],
  ['transit-cleared-first', { shared: [0], mortal: 1, threads: [[BACK], [['rescue', 1]]] }],
  ['shared-set-after', { coarse: true, shared: [1], threads: [[SHARE], [BACK_1, ['free']]] }],
  [
    'shared-cleared-before',
    { coarse: true, shared: [0, 1], threads: [[BACK], [BACK_1, ['free']]] },
  ],
  [
    'mark-before-bits',
    {
      coarse: true,
      shared: [1],
      threads: [
        [SHARE, ['free']],
        [BACK_1, ['free']],
      ],
    },
  ],
  [
    'settle-without-looking',
    {
      coarse: true,
      shared: [0, 1],
      threads: [
        [BACK, ['free']],
        [BACK_1, ['free']],
      ],
    },
  ],
  ['settle-before-clear', { shared: [0], threads: [[BACK]] }],
  ['not-marked', { threads: [[SHARE, ['free']], [['use']]] }],
  ['in-doubt-is-shared', { shared: [0], mortal: 1, threads: [[BACK], [['rescue', 1]]] }],
];

/** A late repetition of an accept, which only a backend that is repeatable concurrently makes. */
export const LATE_REDO: ConvertConfig = {
  accepted: [1],
  threads: [[['accept', 0, 1], SHARE], [['redo', 0]]],
};
