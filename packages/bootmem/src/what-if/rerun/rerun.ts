/**
 * The other boot's early allocations: the log's own sequence of requests, done again on another machine.
 *
 * ```
 * the log    reserve  request  request  free  (nodes)  request ×40  request  …
 * other      same     searched  size by  what  set as  as many as    searched    …  + what its options ask for
 *            place    anew      a rule   it got  they are  its sections
 * ```
 * The order of requests is the kernel's program; what an option changes is the state they are searched in, some sizes
 * (see the rules in this folder), and requests that come or go. Done with today's options it must give today's
 * addresses: {@link Rerun.reproduced} says how many it does.
 */
import type { Steps } from '@bootmem/firmware-map/derive';
import type { Memblock } from '@bootmem/memblock';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MemblockDump, MemblockOperation } from '@bootmem/firmware-map/types';
import type { ByteSpan } from '../../explain-result.js';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { markHotplug, setNodes, stateOf } from '../../plan/replay.js';
import { findRoom } from '../../plan/search.js';
import type { Request } from '../../plan/search.js';
import type { ImageMove } from '../image.js';
import { omit } from '../omit.js';
import type { WishOutcome } from '../requests/wishes.js';
import { initrdOf } from './initrd.js';
import { logOf } from './log-of.js';
import { planSteps } from './steps.js';
import type { Ranged, RerunInput, Step } from './types.js';

/** What came of it. */
export interface Rerun {
  /** The state at hand-over. */
  readonly memblock: Memblock;
  /** The same as a log would show it: the first dump, then operations. */
  readonly log: MachineDescription['memblock'];
  /** Where the initrd lies. */
  readonly ramdisk: ByteSpan | undefined;
  /** Node data, by node. */
  readonly nodeData: ReadonlyMap<number, ByteSpan>;
  /** What options got. */
  readonly outcomes: readonly WishOutcome[];
  /** Why the state may be off by pages. */
  readonly doubts: readonly string[];
  /** Addresses that came out as in the log, of how many requests; means something for today's options only. */
  readonly reproduced: { readonly equal: number; readonly of: number };
}

/** Entries that the kernel's arrays of regions have before they grow. */
const FIRST_ARRAY = 128;

/** Steps of the program that are done between two yields. */
const STEPS = 256;

/**
 * Does a log's requests again.
 * @returns `undefined` for a log without `memblock=debug`, or of another architecture than x86-64
 */
export function* rerun(input: RerunInput): Steps<Rerun | undefined> {
  const { description } = input.today;
  const first = description.memblock.dumps.find((dump) => dump.complete);
  if (first === undefined || description.architecture !== 'x86_64') return undefined;
  const run = new Run(input, first);
  yield;
  for (const [index, step] of planSteps(input, first).entries()) {
    if (index % STEPS === 0) yield;
    run.do(step);
  }
  yield;
  return run.finish();
}

class Run {
  readonly #other: LayoutPlan;
  readonly #move: ImageMove | undefined;
  readonly #log: readonly MemblockOperation[];
  readonly #memblock: Memblock;
  readonly #dump: MemblockDump;
  readonly #operations: MemblockOperation[] = [];
  readonly #placed: { readonly was: ByteSpan; readonly now: number | undefined }[] = [];
  readonly #nodeData = new Map<number, ByteSpan>();
  readonly #doubts = new Set<string>();
  readonly #outcomes: WishOutcome[] = [];
  #ramdisk: ByteSpan | undefined;
  #regions = 0;

  constructor(input: RerunInput, first: MemblockDump) {
    this.#other = input.other;
    this.#log = logOf(input.today.description, first);
    this.#move = input.move;
    const dump = otherDump(input.other, first);
    this.#dump = input.move?.dump(dump) ?? dump;
    this.#memblock = stateOf(this.#dump, input.other.kernel.memblock);
    this.#ramdisk = initrdOf(input.today.description)?.loaded;
    if (input.other.description.options.movableNode) this.#memblock.direction = 'bottom-up';
  }

  do(step: Step): void {
    this.#regions = Math.max(this.#regions, this.#memblock.regionCount('reserved'));
    switch (step.kind) {
      case 'fixed':
        this.#apply(this.#moved(step.operation));
        return;
      case 'free':
        this.#free(step.operation);
        return;
      case 'request':
        this.#request(step);
        return;
      case 'generate':
        step.run({
          plan: this.#other,
          memblock: this.#memblock,
          nodeData: this.#nodeData,
          take: (request) => this.take(request) !== undefined,
          giveBack: (range, { caller, line }) => {
            this.#apply({ op: 'free', ...range, caller, line });
          },
        });
        return;
      case 'group':
        this.#group(step.requests);
        return;
      case 'ramdisk':
        this.#moveRamdisk(step.request);
        return;
      case 'nodes':
        this.#setNodes();
        return;
      case 'node-data':
        this.#takeNodeData(step);
        return;
      case 'wishes':
        for (const wish of step.wishes) {
          const got = wish.reserve({
            memblock: this.#memblock,
            plan: this.#other,
            line: step.line,
            record: (operation) => {
              this.#operations.push(operation);
            },
          });
          this.#outcomes.push(...got);
        }
        return;
      case 'doubt':
        this.#doubts.add(step.why);
        return;
    }
  }

  /** Finds room, takes it, writes both down. */
  take(request: Request): number | undefined {
    const start = findRoom(this.#memblock, request, this.#memblock.endOfDram);
    this.#operations.push(request);
    if (start === undefined) return undefined;
    this.#apply({
      op: 'reserve',
      start,
      end: start + request.size,
      caller: 'memblock_alloc_range_nid',
      line: request.line,
    });
    return start;
  }

  finish(): Rerun {
    if (this.#regions > FIRST_ARRAY || this.#memblock.regionCount('memory') > FIRST_ARRAY) {
      this.#doubts.add('memblock’s arrays of regions grow, which takes some pages');
    }
    return {
      memblock: this.#memblock,
      log: { dumps: [this.#dump], operations: this.#operations },
      ramdisk: this.#ramdisk,
      nodeData: this.#nodeData,
      outcomes: this.#outcomes,
      doubts: [...this.#doubts],
      reproduced: reproduced(this.#operations, this.#log),
    };
  }

  /** What lies in the image goes with it. */
  #moved(operation: MemblockOperation): MemblockOperation {
    if (this.#move === undefined || !('start' in operation)) return operation;
    return this.#move.of(operation);
  }

  #apply(operation: MemblockOperation): void {
    this.#operations.push(operation);
    if (!('start' in operation)) return;
    const { op, start, end } = operation;
    if (op === 'reserve') this.#memblock.reserve(start, end - start);
    else if (op === 'free') this.#memblock.free(start, end - start);
    else if (op === 'remove') this.#memblock.remove(start, end - start);
  }

  #request({ request, was }: Extract<Step, { kind: 'request' }>): void {
    const start = this.take(request);
    if (was === undefined) return;
    this.#placed.push({ was, now: start });
    if (start === undefined) {
      this.#doubts.add(
        `a request of ${request.caller} finds no room, and what the kernel does then is not known`,
      );
    }
  }

  /** What is freed was got by a request, or lies where it always does. */
  #free(operation: Ranged): void {
    const { start, end } = operation;
    const got = this.#placed.findLast(({ was }) => was.start <= start && start < was.end);
    if (got === undefined) this.#apply(this.#moved(operation));
    else if (got.now !== undefined) {
      const by = got.now - got.was.start;
      this.#apply({ ...operation, start: start + by, end: end + by });
    }
  }

  /** All of a group, or none: the log buffer and what describes it. */
  #group(requests: readonly { readonly request: Request; readonly was?: ByteSpan }[]): void {
    const taken: ByteSpan[] = [];
    for (const { request, was } of requests) {
      const start = this.take(request);
      if (was !== undefined) {
        this.#placed.push({ was, now: start });
      }
      if (start !== undefined) {
        taken.push({ start, end: start + request.size });
        continue;
      }
      for (const one of taken) {
        this.#apply({ op: 'free', ...one, caller: request.caller, line: request.line });
      }
      return;
    }
  }

  /** An initrd outside memory is moved into it. */
  #moveRamdisk(request: Request): void {
    const { derived } = this.#other;
    const ramdisk = this.#ramdisk;
    if (ramdisk === undefined) return;
    const { start, end } = ramdisk;
    const inside = derived.memory.reduce(
      (sum, one) => sum + Math.max(0, Math.min(one.end, end) - Math.max(one.start, start)),
      0,
    );
    if (inside >= end - start) return;
    const size = end - start;
    const moved = this.take({ ...request, size, maxAddr: this.#memblock.endOfDram });
    if (moved === undefined) {
      this.#doubts.add('there is no room for the initrd: the kernel would stop');
      return;
    }
    this.#apply({ op: 'free', start, end, caller: request.caller, line: request.line });
    this.#ramdisk = { start: moved, end: moved + size };
  }

  #setNodes(): void {
    const { description, kernel } = this.#other;
    markHotplug(this.#memblock, description);
    const { numa } = description;
    const isCut = this.#other.derived.nodeSource === 'numa-fake' || numa.blocks.length > 0;
    const faked = isCut ? coveringBlocks(this.#other) : [];
    const asked = { ...description, memblock: { dumps: [this.#dump], operations: [] } };
    setNodes(this.#memblock, { ...asked, numa: { ...numa, faked } }, kernel.memblock);
    this.#memblock.direction = 'top-down';
  }

  #takeNodeData({ size, line }: Extract<Step, { kind: 'node-data' }>): void {
    for (const { nid } of this.#other.layout.nodes) {
      const start =
        this.#memblock.findInRange(size, { align: 64, start: 4096, nid }) ??
        this.#memblock.findInRange(size, { align: 64, start: 4096 });
      if (start === undefined) continue;
      const end = start + size;
      this.#apply({ op: 'reserve', start, end, caller: 'memblock_alloc_range_nid', line });
      this.#nodeData.set(nid, { start, end });
    }
  }
}

/** How many of the log's reservations were made again, at the same address. */
function reproduced(
  ours: readonly MemblockOperation[],
  log: readonly MemblockOperation[],
): Rerun['reproduced'] {
  const ranges = (operations: readonly MemblockOperation[]): string[] =>
    operations.flatMap((one) => (one.op === 'reserve' ? [`${one.start}-${one.end}`] : []));
  const left = new Map<string, number>();
  for (const range of ranges(ours)) left.set(range, (left.get(range) ?? 0) + 1);
  const wanted = ranges(log);
  const equal = wanted.filter((range) => {
    const count = left.get(range) ?? 0;
    left.set(range, count - 1);
    return count > 0;
  }).length;
  return { equal, of: wanted.length };
}

/** Blocks of nodes that no table gives: each from where its memory begins to where the next node's does. */
function coveringBlocks({ derived }: LayoutPlan): MachineDescription['numa']['faked'] {
  return derived.memory.map(({ start, end, nid }) => ({ start, end, nid, line: 0 }));
}

/** The first dump on the other machine: its memory, and what was in use before anybody could print it. */
function otherDump(plan: LayoutPlan, first: MemblockDump): MemblockDump {
  return {
    line: first.line,
    complete: true,
    counts: {},
    physmem: [],
    memory: plan.derived.memory.reduce<
      { start: number; end: number; flags: number; line: number }[]
    >((regions, { start, end }) => {
      const last = regions.at(-1);
      if (last?.end === start) last.end = end;
      else regions.push({ start, end, flags: 0, line: first.line });
      return regions;
    }, []),
    reserved: first.reserved.map((region) => omit(region, 'nid')),
  };
}
