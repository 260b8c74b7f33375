/**
 * Sections that get, lose and get back their descriptors as a model: the steps that ship (section-protocol.ts), with the
 * owners of memory written around them as in SectionTable.
 *
 *     populator  of a row that has no slot yet; several may want the same row
 *     remover    owns row 0, which has a slot and old descriptors: takes it out of reach, then says that it is gone
 *     owner      of one subsection of row 0, after that: brings the slot back, clears its own, writes its own
 *     heir       gets the subsection of an owner that ended, wherever it ended, and does the same
 *     reader     looks at the subsections as `access` does, at any time after the removal
 *
 * Mortal threads may end at any of their steps; nobody waits for anybody but for the end of a removal and of a thread.
 * Wrong is: old descriptors that can be looked at; an owner's descriptors that are not what it wrote; two rows with one
 * slot, or a row without one although slots enough are there.
 */
import type { Model, ModelThread, ThreadTools } from '@bootmem/padata/testing';
import {
  makeSectionProtocol,
  type SectionOps,
  type SectionProtocol,
  type SlotPlaces,
} from '../../dist/table/section-protocol.js';

/** What descriptors hold: nothing, what the removed memory left, or 10 + the subsection. */
const OLD = 99;
const USED = 0;
const SLOTS = 1;
const ROWS_OF_SLOTS = 4;
const STALE = 8;
const DATA = 10;
const GONE = 13;
/** By thread, from 0. */
const DEATH = 16;
const ENDED = 24;
const WORDS = 32;

/** Makes the protocol, or a broken variant of it. */
export type MakeSection = (ops: SectionOps) => SectionProtocol;

/** What is explored. */
export interface SectionConfig {
  /** Rows that somebody populates, one thread each. */
  readonly populate?: readonly number[];
  /** Slots. */
  readonly capacity?: number;
  /** Row 0 is removed, and its subsections are taken by as many owners. */
  readonly owners?: number;
  /** Somebody looks. */
  readonly reader?: boolean;
  /** Threads that may end anywhere: `populate` from 0, then the remover (with owners), then owners. */
  readonly mortal?: readonly number[];
  readonly makeSection?: MakeSection;
}

const DIED = new Error('died');

/** A thread of the model without what it needs of others. */
type Body = (tools: ThreadTools, steps: SectionProtocol, ops: SectionOps) => void;

/** The model of a configuration. */
export function sectionModel(config: SectionConfig): Model {
  const { populate = [], capacity = 2, owners = 0, reader = false, mortal = [] } = config;
  const places: SlotPlaces = {
    capacity,
    usedAt: USED,
    slotAt: SLOTS,
    rowOfSlotAt: ROWS_OF_SLOTS,
    staleAt: STALE,
    staleWords: 1,
    allStale: (1 << owners) - 1,
  };
  const bodies: Body[] = [
    ...populate.map((row) => populatorBody(places, row)),
    ...(owners > 0 ? [removerBody(places)] : []),
    ...Array.from({ length: owners }, (_, sub) => ownerBody(places, sub)),
  ];
  return {
    words: WORDS,
    setup(words) {
      if (owners === 0) return;
      words[USED] = 1;
      words[SLOTS] = 1;
      words[ROWS_OF_SLOTS] = 1;
      for (let sub = 0; sub < owners; sub++) words[DATA + sub] = OLD;
    },
    threads: [
      ...bodies.map((body, i) => thread(config, body, i)),
      ...mortal.map(killer),
      ...mortal.map((dead) => heir(config, dead, bodies[dead]!)),
      ...(reader ? [readerThread(owners)] : []),
    ],
    check(words) {
      for (const row of populate) {
        const slot = Math.abs(words[SLOTS + row]!);
        if (slot === 0) return `row ${row} has no slot`;
        if (words[ROWS_OF_SLOTS + slot - 1] !== row + 1)
          return `slot ${slot} is not that of row ${row}`;
      }
      for (let sub = 0; sub < owners; sub++) {
        if (words[SLOTS]! <= 0) return 'the section is out of reach';
        if (((words[STALE]! >> sub) & 1) === 1) return `subsection ${sub} reads as uninitialised`;
        const found = words[DATA + sub];
        if (found !== 10 + sub) return `subsection ${sub} holds ${found}`;
      }
      return undefined;
    },
  };
}

/** Operations of a thread; a mortal one ends when its killer has been there. */
function opsOf({ ops, area, atomic }: ThreadTools, number: number, mortal: boolean): SectionOps {
  const all = area(0);
  const step = <T>(operation: () => T): T =>
    atomic(() => {
      if (mortal && ops.load(all, DEATH + number) === 1) throw DIED;
      return operation();
    });
  const change =
    (next: (value: number, bits: number) => number) =>
    (w: Int32Array, at: number, bits: number): number =>
      step(() => {
        const before = ops.load(w, at);
        ops.store(w, at, next(before, bits));
        return before;
      });
  return {
    load: (w, at) => step(() => ops.load(w, at)),
    store: (w, at, value) => step(() => ops.store(w, at, value)),
    add: (w, at, value) => step(() => ops.add(w, at, value)),
    compareExchange: (w, at, expected, value) =>
      step(() => ops.compareExchange(w, at, expected, value)),
    or: change((value, bits) => value | bits),
    and: change((value, bits) => value & bits),
  };
}

function thread(config: SectionConfig, body: Body, number: number): ModelThread {
  const { mortal = [], makeSection = makeSectionProtocol } = config;
  return (tools) => {
    const ops = opsOf(tools, number, mortal.includes(number));
    try {
      body(tools, makeSection(ops), ops);
    } catch (error) {
      if (error !== DIED) throw error;
    }
    if (mortal.includes(number)) tools.ops.store(tools.area(0), ENDED + number, 1);
  };
}

function killer(number: number): ModelThread {
  return ({ ops, area }) => {
    ops.store(area(0), DEATH + number, 1);
  };
}

/** Who does the same again when the first has ended, however far that one came. */
function heir(config: SectionConfig, dead: number, body: Body): ModelThread {
  const { makeSection = makeSectionProtocol } = config;
  return (tools) => {
    tools.until((words) => words[ENDED + dead] === 1);
    const ops = opsOf(tools, dead, false);
    body(tools, makeSection(ops), ops);
  };
}

function populatorBody(places: SlotPlaces, row: number): Body {
  return ({ area }, steps) => {
    const slot = steps.publish(area(0), places, row);
    if (slot < 0) throw new Error(`no slot for row ${row}`);
  };
}

function removerBody(places: SlotPlaces): Body {
  return ({ area }, steps, ops) => {
    const all = area(0);
    if (ops.load(all, GONE) === 1) return;
    steps.retire(all, places, 0);
    ops.store(all, GONE, 1);
  };
}

function ownerBody(places: SlotPlaces, sub: number): Body {
  return ({ area, until }, steps, ops) => {
    const all = area(0);
    until((words) => words[GONE] === 1);
    steps.publish(all, places, 0);
    steps.settle(all, STALE, 1 << sub, (bits) => {
      for (let i = 0; i < 3; i++) if (((bits >> i) & 1) === 1) ops.store(all, DATA + i, 0);
    });
    const found = ops.load(all, DATA + sub);
    if (found !== 0 && found !== 10 + sub)
      throw new Error(`subsection ${sub} begins with ${found}`);
    ops.store(all, DATA + sub, 10 + sub);
  };
}

function readerThread(subsections: number): ModelThread {
  return ({ ops, area, until }) => {
    const all = area(0);
    until((words) => words[GONE] === 1);
    for (let sub = 0; sub < subsections; sub++) {
      if (ops.load(all, SLOTS) <= 0 || ((ops.load(all, STALE) >> sub) & 1) === 1) continue;
      if (ops.load(all, DATA + sub) === OLD) throw new Error('old descriptors can be looked at');
    }
  };
}

const sectionOf =
  (change: (right: SectionProtocol, ops: SectionOps) => Partial<SectionProtocol>): MakeSection =>
  (ops) => {
    const right = makeSectionProtocol(ops);
    return { ...right, ...change(right, ops) };
  };

/** With one operation replaced. */
const withOps =
  (change: (ops: SectionOps) => Partial<SectionOps>): MakeSection =>
  (ops) =>
    makeSectionProtocol({ ...ops, ...change(ops) });

const isSlotWord = (at: number): boolean => at >= SLOTS && at < ROWS_OF_SLOTS;
const isRowWord = (at: number): boolean => at >= ROWS_OF_SLOTS && at < STALE;

/** Mistakes that the exploration must find: name, and where. */
export const SECTION_MISTAKES: readonly (readonly [string, SectionConfig])[] = [
  [
    'a subsection is said clean before it is cleared',
    {
      owners: 2,
      reader: true,
      makeSection: sectionOf((_right, ops) => ({
        settle(words, at, own, clear) {
          const bits = ops.and(words, at, ~own) & own;
          if (bits !== 0) clear(bits);
        },
      })),
    },
  ],
  [
    'a thread that ends between saying so and clearing leaves old descriptors to its heir',
    {
      owners: 1,
      mortal: [1],
      makeSection: sectionOf((_right, ops) => ({
        settle(words, at, own, clear) {
          const bits = ops.and(words, at, ~own) & own;
          if (bits !== 0) clear(bits);
        },
      })),
    },
  ],
  [
    'an owner clears its neighbour too',
    {
      owners: 2,
      makeSection: sectionOf((right) => ({
        settle(words, at, _own, clear) {
          right.settle(words, at, 3, clear);
        },
      })),
    },
  ],
  [
    'who brings a slot back marks its descriptors stale, instead of who took it away',
    {
      owners: 2,
      makeSection: sectionOf((right, ops) => ({
        publish(words, places, row) {
          if (ops.load(words, places.slotAt + row) < 0) {
            ops.or(words, places.staleAt, places.allStale);
          }
          return right.publish(words, places, row);
        },
      })),
    },
  ],
  [
    'descriptors are taken out of reach before they are marked stale',
    {
      owners: 1,
      mortal: [0],
      makeSection: sectionOf((_right, ops) => ({
        retire(words, { slotAt, staleAt, allStale }, row) {
          const word = ops.load(words, slotAt + row);
          if (word <= 0) return;
          ops.store(words, slotAt + row, -word);
          ops.store(words, staleAt, allStale);
        },
      })),
    },
  ],
  [
    'a slot is the next number, whoever asks: one that ends with it takes it along',
    {
      populate: [0, 1],
      mortal: [0],
      makeSection: sectionOf((_right, ops) => ({
        publish(words, { capacity, usedAt, slotAt, rowOfSlotAt }, row) {
          if (ops.load(words, slotAt + row) > 0) return 0;
          const slot = ops.add(words, usedAt, 1);
          if (slot >= capacity) return -1;
          ops.store(words, rowOfSlotAt + slot, row + 1);
          return ops.compareExchange(words, slotAt + row, 0, slot + 1) === 0 ? slot : -1;
        },
      })),
    },
  ],
  [
    'a slot is published without a look at who else did',
    {
      populate: [0, 0, 1],
      makeSection: withOps((ops) => ({
        compareExchange: (w, at, expected, value) =>
          isSlotWord(at)
            ? (ops.store(w, at, value), expected)
            : ops.compareExchange(w, at, expected, value),
      })),
    },
  ],
  [
    "a surplus slot is given back even when it is somebody else's by now",
    {
      populate: [0, 0, 0, 1],
      capacity: 2,
      makeSection: withOps((ops) => ({
        compareExchange: (w, at, expected, value) =>
          isRowWord(at) && value === 0
            ? (ops.store(w, at, 0), expected)
            : ops.compareExchange(w, at, expected, value),
      })),
    },
  ],
  [
    'a slot is taken from a row that has none yet',
    {
      populate: [0, 1],
      makeSection: withOps((ops) => ({
        compareExchange(w, at, expected, value) {
          const before = ops.compareExchange(w, at, expected, value);
          if (!isRowWord(at) || before === 0 || before === value) return before;
          return ops.load(w, SLOTS + before - 1) === 0 ? (ops.store(w, at, value), 0) : before;
        },
      })),
    },
  ],
];
