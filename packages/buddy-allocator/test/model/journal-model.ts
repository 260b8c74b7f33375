/**
 * The journal of the free lists as a state space: the code that ships, a small zone, and deaths at every point where
 * the engine can end a thread (support/kill-points.ts), in those who put things in order as well.
 *
 *     whole memory ──ops that end──▶ sound states ──an op, ended anywhere──▶ dead states
 *                                        ▲                                     │  ▲
 *                                        └──── the next one has the lock ◀─────┘  └── ended in recovery, anywhere
 *
 * Who changes the lists has the lock, so threads follow each other: interleavings are sequences of operations and the
 * points at which they end. A dead state is all that the next one can see; states seen before are not visited again, so
 * "ended in recovery, and the next one too, and the next ..." is followed until nothing new comes.
 *
 * Wrong is, after the recovery: a broken invariant; a page that is neither free nor allocated; a block gone that others
 * hold, or more held than the dead thread had or was about to get.
 */
import { PageState } from '@bootmem/memmap';

import { type PageAllocator, ZoneWord } from '../../dist/machine.js';
import { auditZone } from '../../dist/zone/verify.js';
import type { Mortals } from '../support/kill-points.js';
import { type Block, machinePair } from '../support/kill-pairs.js';

/** Four pageblocks of 8 pages, one block of 32 where their types allow it. */
const PAGES = 32;
/** Words of a zone up to its lists of largest blocks. */
const LISTS_END = 64 + (Math.log2(PAGES) + 1) * 18;
/** Id of the one who has ended; the onlooker has 1. */
const ENDED = 2;
/** Words that only count what has happened: of the lock, and of the zone. */
const HISTORY = [1, 2, 3, ZoneWord.RECOVERIES, ZoneWord.CLAIMS, ZoneWord.STEALS];
const [UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC] = [0, 1, 2, 3] as const;

/** Where operations begin: types of the pageblocks, and what is taken from them. */
export interface Start {
  readonly types: readonly (0 | 1 | 2 | 3)[];
  readonly taken: readonly (readonly [order: number, migratetype: 0 | 1 | 2])[];
}

/** A whole memory; pieces that merge over borders of types; pageblocks that are reserved beside some that are not. */
export const STARTS: Readonly<Record<string, Start>> = {
  whole: { types: [MOVABLE, UNMOVABLE, MOVABLE, RECLAIMABLE], taken: [] },
  used: {
    types: [MOVABLE, UNMOVABLE, MOVABLE, RECLAIMABLE],
    taken: [
      [3, UNMOVABLE],
      [0, RECLAIMABLE],
      [4, MOVABLE],
    ],
  },
  reserved: { types: [MOVABLE, UNMOVABLE, HIGHATOMIC, HIGHATOMIC], taken: [[1, MOVABLE]] },
};

/** An operation, and what the thread may hold after it. */
interface Operation {
  readonly name: string;
  readonly run: (allocator: PageAllocator) => void;
  /** Block that it frees. */
  readonly frees?: Block;
  /** Pages that it may hold in the end, or still. */
  readonly most: number;
}

/** What must be right after the recovery. */
interface Promised {
  /** Blocks that stay allocated. */
  readonly kept: readonly string[];
  /** Pages that may be allocated beside them. */
  readonly most: number;
}

/** What exploring found. */
export interface JournalExploration {
  /** States in which a thread may have ended. */
  readonly states: number;
  /** Of these, those in which it was putting things in order. */
  readonly again: number;
  /** Points that led to them, those included at which nothing new was to be seen. */
  readonly deaths: number;
  readonly violation: string | undefined;
}

type Memory = readonly Int32Array[];

/** The shared memory of one zone; one thread looks on, the others come and end. */
class World {
  readonly allocator: PageAllocator;
  readonly #mortals: Mortals;
  readonly #views: Memory;
  readonly #registry: Int32Array;
  readonly #alive: Int32Array;
  readonly #oneDead: Int32Array;
  /** Tag of the one who has ended. */
  readonly #deadTag: number;

  constructor(mortals: Mortals, { types, taken }: Start) {
    this.#mortals = mortals;
    const { survivor, victim } = machinePair(mortals, {
      pages: PAGES,
      typeOf: (pageblock) => types[pageblock]!,
    });
    this.allocator = survivor;
    const { columns, words, at } = survivor.zones[0]!.core;
    const { state, pageblocks, links, topLinks } = columns;
    const wordsOf = (bytes: Uint8Array, count: number): Int32Array =>
      new Int32Array(bytes.buffer, bytes.byteOffset, Math.ceil(count / 4));
    this.#views = [
      words.subarray(at, at + LISTS_END),
      wordsOf(state, PAGES),
      wordsOf(pageblocks, types.length),
      links.subarray(0, 2 * PAGES),
      topLinks.subarray(0, 2),
    ];
    for (const [order, migratetype] of taken) {
      survivor.allocPages(order, { migratetype, zone: 'Normal' });
    }
    this.#registry = survivor.toHandle().threads.words;
    this.#deadTag = survivor.registry.tagOf(victim.thread);
    survivor.registry.markDead(victim.thread);
    this.#oneDead = this.#registry.slice();
    survivor.reclaimThread(victim.thread);
    this.#alive = this.#registry.slice();
  }

  /** What the memory looks like; of whoever has the lock only that it has ended. */
  look(): Memory {
    const memory = this.#views.map((view) => view.slice());
    const zone = memory[0]!;
    // The first view begins with the zone's block, and that with its lock.
    for (const word of HISTORY) zone[word] = 0;
    if (zone[0] !== 0) zone[0] = this.#deadTag;
    return memory;
  }

  /** Lets a newcomer into a state. @param dead  somebody has ended there */
  enter(memory: Memory, dead: boolean): PageAllocator {
    memory.forEach((part, i) => {
      this.#views[i]!.set(part);
    });
    this.#registry.set(dead ? this.#oneDead : this.#alive);
    return this.#mortals.PageAllocator.attach(this.allocator.toHandle());
  }

  /** Allocated blocks. */
  blocks(): Block[] {
    const { core } = this.allocator.zones[0]!;
    const found: Block[] = [];
    for (let pfn = 0; pfn < PAGES;) {
      const head = core.memmap.coveringHead(pfn);
      if (head?.state === PageState.ALLOCATED) found.push([head.pfn, head.order]);
      pfn = head === undefined ? pfn + 1 : head.pfn + 2 ** head.order;
    }
    return found;
  }

  /** Runs `body` and looks at each point at which something has changed. */
  run(body: () => void, visit: (memory: Memory) => void): void {
    // Compared by the engine's own code: there are a thousand points for each that matters.
    const now = this.#views.map((view) => bytesOf(view));
    const before = now.map((view) => Buffer.from(view));
    let first = true;
    this.#mortals.pointsOf(body, () => {
      let changed = first;
      first = false;
      for (const [i, view] of now.entries()) {
        if (view.equals(before[i]!)) continue;
        view.copy(before[i]!);
        changed = true;
      }
      if (changed) visit(this.look());
      return false;
    });
  }

  /** What is wrong with a state in which nobody is at work. */
  faultOf({ kept, most }: Promised): string | undefined {
    this.#registry.set(this.#alive);
    const { core } = this.allocator.zones[0]!;
    const { violations } = auditZone(core, undefined);
    if (violations.length > 0) return `${violations[0]!.invariant}: ${violations[0]!.text}`;
    const blocks = this.blocks();
    const held = pagesOf(blocks.map(String));
    if (core.freePages + held !== PAGES) return `${core.freePages} free, ${held} allocated`;
    const names = new Set(blocks.map(String));
    const gone = kept.find((name) => !names.has(name));
    if (gone !== undefined) return `block ${gone} is gone`;
    const others = held - pagesOf(kept);
    return others > most ? `${others} pages more than were held` : undefined;
  }
}

const pagesOf = (names: readonly string[]): number =>
  names.reduce((sum, name) => sum + 2 ** Number(name.split(',')[1]), 0);

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

const keyOf = (memory: Memory): string => Buffer.concat(memory.map(bytesOf)).toString('latin1');

/** Everything that can be asked for in a state. */
function operationsOf(blocks: readonly Block[]): Operation[] {
  const take = (order: number, migratetype: 0 | 1 | 2): Operation => ({
    name: `take ${order} of type ${migratetype}`,
    run: (allocator) => allocator.allocPages(order, { migratetype, zone: 'Normal' }),
    most: 2 ** order,
  });
  return [
    ...blocks.map((block): Operation => ({
      name: `free ${block.join(' of order ')}`,
      run: (allocator) => {
        allocator.freePages(...block);
      },
      frees: block,
      most: 2 ** block[1],
    })),
    take(0, MOVABLE),
    take(1, RECLAIMABLE),
    take(3, UNMOVABLE),
    take(4, MOVABLE),
    {
      name: 'take 5 in a row',
      run: (allocator) => allocator.allocExact(5, { migratetype: MOVABLE, zone: 'Normal' }),
      most: 8,
    },
    {
      name: 'isolate and lift',
      run: (allocator) => {
        if (allocator.isolate(9)) allocator.unisolate(9);
      },
      most: 0,
    },
    {
      name: 'give a reserve back',
      run: ({ zones }) => {
        const { core } = zones[0]!;
        core.locked(() => core.fallback.unreserveHighatomic(MOVABLE, true));
      },
      most: 0,
    },
  ];
}

/** Visits all states that deaths lead to from one start. */
export function exploreJournal(mortals: Mortals, start: Start): JournalExploration {
  const world = new World(mortals, start);
  const dead = new Map<string, { memory: Memory; promised: Promised }>();
  const open: string[] = [];
  let [again, deaths] = [0, 0];
  const seen = (memory: Memory, promised: Promised): boolean => {
    const name = `${promised.kept.join(' ')}|${promised.most}|${keyOf(memory)}`;
    deaths++;
    if (dead.has(name)) return true;
    dead.set(name, { memory, promised });
    open.push(name);
    return false;
  };
  const report = (violation?: string): JournalExploration => ({
    states: dead.size,
    again,
    deaths,
    violation,
  });

  const memory = world.look();
  const blocks = world.blocks();
  for (const { name, run, frees, most } of operationsOf(blocks)) {
    const kept = blocks.map(String).filter((block) => block !== frees?.join());
    const promised = { kept, most };
    const victim = world.enter(memory, false);
    world.run(
      () => {
        run(victim);
      },
      (cut) => seen(cut, promised),
    );
    const fault = world.faultOf(promised);
    if (fault !== undefined) return report(`${name}: ${fault}`);
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      const found = dead.get(key)!;
      const taker = world.enter(found.memory, true);
      world.run(
        () => taker.reclaimThreads([ENDED]),
        (cut) => {
          if (!seen(cut, found.promised)) again++;
        },
      );
      const wrong = world.faultOf(found.promised);
      if (wrong !== undefined) return report(`${name}, cut off, and put in order: ${wrong}`);
    }
  }
  return report();
}
