/**
 * The workloads of the kernel's timings, on our object.
 *
 * Layout: one region of memory, R reservations of 4 KiB, one every 64 KiB (memory and reserved R
 * regions each for the walks). Random places come from splitmix64 started at 42, worked out beforehand.
 */
import { Memblock } from '@bootmem/memblock';

export const BASE = 0x100000;
export const STEP = 0x10000;
export const PAGE = 0x1000;

/** A workload: set up for R regions, gives a function that runs `n` iterations and returns a sink. */
export interface Workload {
  readonly name: string;
  readonly unit: string;
  /** Iterations that take some tens of milliseconds. */
  readonly iterations: (regions: number) => number;
  /** Units of work in one iteration. */
  readonly units?: (regions: number) => number;
  readonly setUp: (regions: number) => (n: number) => number;
}

/** `count` places `splitmix64() % limit`, as numbers. */
export function randomPlaces(count: number, limit: number): Float64Array {
  const mask = (1n << 64n) - 1n;
  let state = 42n;
  const places = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    places[k] = Number((z ^ (z >> 31n)) % BigInt(limit));
  }
  return places;
}

/** The kernel's layout: one region of RAM, R reservations with gaps of 60 KiB. */
function sparse(regions: number): Memblock {
  const memblock = new Memblock();
  memblock.add(BASE, regions * STEP + STEP);
  const bases = Float64Array.from({ length: regions }, (_item, k) => BASE + k * STEP);
  memblock.reserveMany({ bases, sizes: new Float64Array(regions).fill(PAGE) });
  return memblock;
}

/** R regions of 32 KiB of RAM, each with one reservation inside. */
function striped(regions: number): Memblock {
  const memblock = new Memblock();
  const bases = Float64Array.from({ length: regions }, (_item, k) => BASE + k * STEP);
  memblock.addMany({ bases, sizes: new Float64Array(regions).fill(0x8000) });
  const inner = bases.map((base) => base + 0x2000);
  memblock.reserveMany({ bases: inner, sizes: new Float64Array(regions).fill(PAGE) });
  return memblock;
}

const PLACES = 1 << 16;
const pairs = (): number => 60_000;

function reserveAndFree(offset: number): Workload['setUp'] {
  return (regions) => {
    const memblock = sparse(regions);
    const places = randomPlaces(PLACES, regions);
    return (n) => {
      let sink = 0;
      for (let k = 0; k < n; k++) {
        const base = BASE + places[k % PLACES]! * STEP + offset;
        memblock.reserve(base, PAGE);
        memblock.free(base, PAGE);
        sink += base;
      }
      return sink + memblock.regionCount('reserved');
    };
  };
}

function allocateAndFree(bottomUp: boolean): Workload['setUp'] {
  return (regions) => {
    const memblock = sparse(regions);
    memblock.direction = bottomUp ? 'bottom-up' : 'top-down';
    const options = { align: PAGE };
    return (n) => {
      let sink = 0;
      for (let k = 0; k < n; k++) {
        const found = memblock.allocRange(PAGE, options)!;
        memblock.free(found, PAGE);
        sink += found;
      }
      return sink;
    };
  };
}

function searchEverything(bottomUp: boolean): Workload['setUp'] {
  return (regions) => {
    const memblock = sparse(regions);
    memblock.direction = bottomUp ? 'bottom-up' : 'top-down';
    const options = { align: PAGE };
    return (n) => {
      let sink = 0;
      for (let k = 0; k < n; k++) {
        if (memblock.allocRange(0x40000, options) !== undefined) throw new Error('found room');
        sink++;
      }
      return sink;
    };
  };
}

function walk(reverse: boolean): Workload['setUp'] {
  return (regions) => {
    const memblock = striped(regions);
    return (n) => {
      let sink = 0;
      let ranges = 0;
      for (let k = 0; k < n; k++) {
        const cursor = memblock.freeRangeCursor({ reverse });
        while (cursor.next()) {
          sink += cursor.end - cursor.start + cursor.nid;
          ranges++;
        }
      }
      if (ranges !== n * 2 * regions) throw new Error(`${ranges} ranges`);
      return sink;
    };
  };
}

function build(shuffled: boolean): Workload['setUp'] {
  return (regions) => {
    const order = Float64Array.from({ length: regions }, (_item, k) => k);
    if (shuffled) {
      const swaps = randomPlaces(regions, 2 ** 40);
      for (let k = regions - 1; k > 0; k--) {
        const j = swaps[k]! % (k + 1);
        [order[k], order[j]] = [order[j]!, order[k]!];
      }
    }
    return (n) => {
      let sink = 0;
      for (let k = 0; k < n; k++) {
        const memblock = new Memblock();
        for (let i = 0; i < regions; i++) memblock.reserve(BASE + order[i]! * STEP, PAGE);
        sink += memblock.regionCount('reserved');
      }
      if (sink !== n * regions) throw new Error('regions are missing');
      return sink;
    };
  };
}

function buildInBulk(regions: number): (n: number) => number {
  const places = randomPlaces(regions, 2 ** 30);
  const order = Uint32Array.from({ length: regions }, (_item, k) => k).sort(
    (a, b) => places[a]! - places[b]!,
  );
  const bases = Float64Array.from(order, (k) => BASE + k * STEP);
  const sizes = new Float64Array(regions).fill(PAGE);
  return (n) => {
    let sink = 0;
    for (let k = 0; k < n; k++) {
      const memblock = new Memblock();
      memblock.reserveMany({ bases, sizes });
      sink += memblock.regionCount('reserved');
    }
    if (sink !== n * regions) throw new Error('regions are missing');
    return sink;
  };
}

const rounds = (work: number) => (regions: number) => Math.max(1, Math.ceil(work / regions));

/** Every workload of the kernel's list, by its name there, and the bulk path. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'reserve_then_free_random_gap',
    unit: 'pair',
    iterations: pairs,
    setUp: reserveAndFree(0x8000),
  },
  {
    name: 'reserve_then_free_adjacent',
    unit: 'pair',
    iterations: pairs,
    setUp: reserveAndFree(PAGE),
  },
  {
    name: 'alloc_then_free_top_down_first_gap',
    unit: 'pair',
    iterations: pairs,
    setUp: allocateAndFree(false),
  },
  {
    name: 'alloc_then_free_bottom_up_first_gap',
    unit: 'pair',
    iterations: pairs,
    setUp: allocateAndFree(true),
  },
  {
    name: 'alloc_search_all_gaps_top_down_fail',
    unit: 'call',
    iterations: () => 8_000,
    setUp: searchEverything(false),
  },
  {
    name: 'alloc_search_all_gaps_bottom_up_fail',
    unit: 'call',
    iterations: () => 8_000,
    setUp: searchEverything(true),
  },
  {
    name: 'alloc_in_window_then_free',
    unit: 'pair',
    iterations: pairs,
    setUp: (regions) => {
      const memblock = sparse(regions);
      const places = randomPlaces(PLACES, regions);
      return (n) => {
        let sink = 0;
        for (let k = 0; k < n; k++) {
          const start = BASE + places[k % PLACES]! * STEP;
          const found = memblock.allocRange(PAGE, { align: PAGE, start, end: start + 0x40000 })!;
          memblock.free(found, PAGE);
          sink += found;
        }
        return sink;
      };
    },
  },
  {
    name: 'is_reserved_random',
    unit: 'call',
    iterations: () => 600_000,
    setUp: (regions) => {
      const memblock = sparse(regions);
      const places = randomPlaces(PLACES, regions * STEP);
      return (n) => {
        let sink = 0;
        for (let k = 0; k < n; k++) {
          if (memblock.isReserved(BASE + places[k % PLACES]!)) sink++;
        }
        return sink;
      };
    },
  },
  {
    name: 'is_region_reserved_miss',
    unit: 'call',
    iterations: () => 600_000,
    setUp: (regions) => {
      const memblock = sparse(regions);
      const places = randomPlaces(PLACES, regions);
      return (n) => {
        let sink = 0;
        for (let k = 0; k < n; k++) {
          const base = BASE + places[k % PLACES]! * STEP + 0x2000;
          if (memblock.isRegionReserved(base, PAGE)) throw new Error('hit');
          sink++;
        }
        return sink;
      };
    },
  },
  {
    name: 'build_ascending',
    unit: 'reserve',
    iterations: rounds(60_000),
    units: (regions) => regions,
    setUp: build(false),
  },
  {
    name: 'build_random_order',
    unit: 'reserve',
    iterations: rounds(60_000),
    units: (regions) => regions,
    setUp: build(true),
  },
  {
    name: 'build_in_bulk_random_order',
    unit: 'reserve',
    iterations: rounds(100_000),
    units: (regions) => regions,
    setUp: buildInBulk,
  },
  {
    name: 'iterate_free_RxR',
    unit: 'range',
    iterations: rounds(1_000_000),
    units: (regions) => 2 * regions,
    setUp: walk(false),
  },
  {
    name: 'iterate_free_reverse_RxR',
    unit: 'range',
    iterations: rounds(1_000_000),
    units: (regions) => 2 * regions,
    setUp: walk(true),
  },
];
