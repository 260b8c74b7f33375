/** Random commands on ours and on a map of cells, compared after every command. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Memblock, MemFlags, type Direction } from '@bootmem/memblock';
import {
  CellMap,
  DRIVER_MANAGED,
  HOTPLUG,
  MIRROR,
  NOMAP,
  word,
  type CellQuery,
} from './model/cell-map.js';
import { firstDifference } from './model/compare.js';

const CELLS = 96;
const SCALE = { origin: 1 << 16, cell: 1024 };
const MAX_NODES = 4;

interface Model {
  readonly map: CellMap;
  movableNode: boolean;
  mirrored: boolean;
}

type Command = fc.Command<Model, Memblock>;
type Kind = 'memory' | 'reserved';

const at = (cell: number): number => SCALE.origin + cell * SCALE.cell;

class Step implements Command {
  private readonly text: string;
  private readonly work: (model: Model, real: Memblock) => void;

  constructor(text: string, work: (model: Model, real: Memblock) => void) {
    this.text = text;
    this.work = work;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Memblock): void {
    this.work(model, real);
    real.verify();
    expect(firstDifference(real, model.map, SCALE)).toBeUndefined();
  }

  toString(): string {
    return this.text;
  }
}

const cell = fc.integer({ min: 0, max: CELLS - 1 });
const length = fc.integer({ min: 0, max: 24 });
const nid = fc.integer({ min: -1, max: MAX_NODES });
const kind = fc.constantFrom<Kind>('memory', 'reserved');
const memoryFlag = fc.constantFrom(HOTPLUG, MIRROR, NOMAP, DRIVER_MANAGED);

const fill = fc
  .tuple(kind, cell, length, nid, fc.constantFrom(0, 0, NOMAP, HOTPLUG))
  .map(([type, from, size, node, flags]) => {
    const to = Math.min(CELLS, from + size);
    return new Step(`fill ${type} ${from}-${to} nid ${node} flags ${flags}`, (model, real) => {
      const bytes = (to - from) * SCALE.cell;
      if (type === 'memory') real.add(at(from), bytes, { nid: node, flags });
      else real.reserve(at(from), bytes, { nid: node, flags: 0 });
      model.map.fill(model.map[type], from, to, word(type === 'memory' ? flags : 0, node));
    });
  });

const cut = fc.tuple(kind, cell, length).map(([type, from, size]) => {
  const to = Math.min(CELLS, from + size);
  return new Step(`cut ${type} ${from}-${to}`, (model, real) => {
    if (type === 'memory') real.remove(at(from), (to - from) * SCALE.cell);
    else real.free(at(from), (to - from) * SCALE.cell);
    model.map.cut(model.map[type], from, to);
  });
});

const flag = fc.tuple(cell, length, memoryFlag, fc.boolean()).map(([from, size, bit, on]) => {
  const to = Math.min(CELLS, from + size);
  return new Step(`${on ? 'mark' : 'clear'} ${bit} ${from}-${to}`, (model, real) => {
    if (on) real.mark(at(from), (to - from) * SCALE.cell, bit);
    else real.clear(at(from), (to - from) * SCALE.cell, bit);
    model.map.flag(model.map.memory, from, to, bit, on);
    if (on && bit === MIRROR) model.mirrored = true;
  });
});

const noinit = fc.tuple(cell, length, fc.boolean()).map(([from, size, on]) => {
  const to = Math.min(CELLS, from + size);
  return new Step(`noinit ${String(on)} ${from}-${to}`, (model, real) => {
    const bytes = (to - from) * SCALE.cell;
    if (on) real.mark(at(from), bytes, MemFlags.RSRV_NOINIT);
    else real.clear(at(from), bytes, MemFlags.RSRV_NOINIT);
    model.map.flag(model.map.reserved, from, to, MemFlags.RSRV_NOINIT, on);
  });
});

const setNode = fc.tuple(kind, cell, length, nid).map(([type, from, size, node]) => {
  const to = Math.min(CELLS, from + size);
  return new Step(`node ${type} ${from}-${to} ${node}`, (model, real) => {
    real.setNode(at(from), (to - from) * SCALE.cell, type, node);
    model.map.node(model.map[type], from, to, node);
  });
});

const allocate = fc
  .record({
    size: fc.integer({ min: 1, max: 12 }),
    align: fc.constantFrom(1, 2, 4, 8),
    from: cell,
    span: fc.integer({ min: 1, max: CELLS }),
    node: nid,
    exact: fc.boolean(),
    direction: fc.constantFrom<Direction>('top-down', 'bottom-up'),
  })
  .map((wish) => {
    return new Step(`alloc ${JSON.stringify(wish)}`, (model, real) => {
      const { size, align, from, span, node, exact, direction } = wish;
      real.direction = direction;
      const found = real.allocRangeNid(size * SCALE.cell, {
        align: align * SCALE.cell,
        start: at(from),
        end: at(from + span),
        nid: node,
        exact,
      });
      const find = (flags: number, wanted: number): number | undefined => {
        const query: CellQuery = { flags, nid: wanted, movableNode: model.movableNode };
        return model.map.find(size, align, from, from + span, query, direction === 'top-down');
      };
      const valid = node >= 0 && node < MAX_NODES;
      const only = valid ? node : -1;
      let expected: number | undefined;
      let node_ = node;
      for (const flags of model.mirrored ? [MIRROR, 0] : [0]) {
        node_ = node;
        expected = find(flags, only);
        if (expected === undefined && valid && !exact) {
          expected = find(flags, -1);
          node_ = -1;
        }
        if (expected !== undefined) break;
      }
      expect(found).toBe(expected === undefined ? undefined : at(expected));
      if (expected === undefined) return;
      const value = word(MemFlags.RSRV_KERN, node_);
      model.map.fill(model.map.reserved, expected, expected + size, value);
    });
  });

const look = fc
  .record({ flags: fc.integer({ min: 0, max: 15 }), node: nid, cell })
  .map(({ flags, node, cell: where }) => {
    return new Step(`look flags ${flags} nid ${node}`, (model, real) => {
      const only = node >= 0 && node < MAX_NODES ? node : -1;
      const want = model.map
        .free({ flags, nid: only, movableNode: model.movableNode })
        .map(({ from, to, nid: of }) => [at(from), at(to), of]);
      const options = { flags, nid: node };
      const ranges = (reverse: boolean): number[][] =>
        [...real.freeRanges({ ...options, reverse })]
          // Between touching reservations that are not alike the walk yields an empty range.
          .filter(({ start, end }) => start < end)
          .map(({ start, end, nid: of }) => [start, end, of]);
      expect(ranges(false)).toEqual(want);
      expect(ranges(true).reverse()).toEqual(want);
      const address = at(where) + 17;
      expect(real.isMemory(address)).toBe(model.map.memory[where] !== 0);
      expect(real.isReserved(address)).toBe(model.map.reserved[where] !== 0);
      const region = model.map
        .regions(model.map.memory)
        .find(({ from, to }) => from <= where && where < to);
      expect(real.regionAt('memory', address)?.base).toBe(region && at(region.from));
      expect(real.isRegionMemory(address, 3 * SCALE.cell)).toBe(
        region !== undefined && at(region.to) >= address + 3 * SCALE.cell,
      );
    });
  });

const command = fc.oneof(
  { weight: 5, arbitrary: fill },
  { weight: 3, arbitrary: cut },
  { weight: 2, arbitrary: flag },
  { weight: 1, arbitrary: noinit },
  { weight: 2, arbitrary: setNode },
  { weight: 4, arbitrary: allocate },
  { weight: 2, arbitrary: look },
);

test('equal to a map of cells after every random command', () => {
  fc.assert(
    fc.property(
      fc.commands([command], { maxCommands: 60, size: 'max' }),
      fc.boolean(),
      (commands, movableNode) => {
        fc.modelRun(
          () => ({
            model: { map: new CellMap(CELLS + 24), movableNode, mirrored: false },
            real: new Memblock({
              maxNodes: MAX_NODES,
              movableNode,
              mirroredKernelcore: true,
              pageSize: SCALE.cell,
            }),
          }),
          commands,
        );
      },
    ),
    { numRuns: 250 },
  );
});
