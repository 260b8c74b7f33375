/**
 * Replays the memblock of an x86 boot from its log: every printed operation, and those that the
 * kernel makes without printing them, on a {@link Memblock} of our own.
 *
 * ```
 *   set-up entry       the state given, or the first printed configuration
 *     memblock_add …   then, unprinted: memory below 1 MiB is marked (from 6.16),
 *                      regions are trimmed to pages                             -> first configuration
 *     alloc, reserve … then, unprinted: the mark goes with the reservation of all of it
 *   node entry         unprinted: nodes are reset; removable ranges are marked
 *                      unprinted: every block sets the node of what lies in it -> second configuration
 *     alloc …
 *   zones entry        "Zone ranges:"
 *     alloc …
 *   hand-over entry    the slab allocator comes up
 * ```
 *
 * Nothing printed is taken on trust. Our object prints its own debug lines; the log must show the
 * same ones. So a request that is replayed predicts the address that the next line of the log must
 * name, and a doubled array must be announced where the kernel announced it.
 *
 * Source: published boot logs and recorded kernel states; Documentation/core-api/boot-time-mm.rst.
 */
import { ALLOC_ACCESSIBLE, MemFlags } from '../base/constants.js';
import type { MemblockOptions, MemblockState } from '../base/types.js';
import { Memblock } from '../memblock.js';
import { compareDump } from './compare-dump.js';
import {
  parseDebugLine,
  readDebugLog,
  sameEvent,
  showEvent,
  type DebugEvent,
  type LogEntry,
  type RangeEvent,
  type RequestEvent,
} from './debug-log.js';
import { NumaLines, type NumaBlock } from './numa-blocks.js';
import { stateOfDump, type MemblockDump } from './read-dump.js';
import type {
  BootReplayResult,
  Checkpoint,
  ReplayDifference,
  ReplayedAllocation,
  ReplayedDump,
} from './replay-result.js';

/** What a replay starts from. */
export interface BootReplayOptions extends MemblockOptions {
  /** State at the entry of the e820 set-up; absent: the replay starts at the first printed configuration. */
  readonly initial?: MemblockState;
  /** Limit of allocations once memory is mapped, bytes; default: the end of RAM. */
  readonly mappedLimit?: number;
  /** Blocks of the nodes; default: derived from the log. */
  readonly numaBlocks?: readonly NumaBlock[];
}

/**
 * Replays a boot.
 * @param log the log, as text or as lines, with or without time stamps
 * @throws MemblockError ERR_MEMBLOCK_FORMAT for a damaged configuration or an impossible address
 */
export function replayBoot(
  log: string | Iterable<string>,
  options: BootReplayOptions = {},
): BootReplayResult {
  const replay = new BootReplay(options);
  for (const entry of readDebugLog(typeof log === 'string' ? log.split('\n') : log)) {
    replay.feed(entry);
  }
  return replay.finish();
}

/** Caller of the reservation that an allocation makes. */
const ALLOCATOR = 'memblock_alloc_range_nid';
const SETUP = 'e820__memblock_setup';
/** Where memory ends that x86 keeps for firmware and for starting processors, bytes. @kernel reserve_real_mode */
const LOW_END = 2 ** 20;
/** Memory is in the page allocator's hands once this is printed. */
const SLAB_UP = 'SLUB: ';

/** A replay in progress. */
class BootReplay {
  private readonly options: BootReplayOptions;
  private memblock: Memblock;
  private readonly numa = new NumaLines();
  private blocks: readonly NumaBlock[] = [];
  private phase: 'before' | 'setup' | 'early' | 'node-reset' | 'nodes-set' | 'over';
  private readonly checkpoints = new Map<Checkpoint, MemblockState>();
  private readonly dumps: ReplayedDump[] = [];
  private readonly allocations: ReplayedAllocation[] = [];
  private readonly differences: ReplayDifference[] = [];
  private operations = 0;
  /** Lines that our object has printed and the log has not shown yet. */
  private expected: DebugEvent[] = [];
  /** The last request, while the log may still show its reservation. */
  private pending: ReplayedAllocation | undefined = undefined;
  private listening = false;

  constructor(options: BootReplayOptions) {
    this.options = options;
    this.phase = 'before';
    this.memblock = this.create(options.initial);
  }

  /** Takes the next line of the log. */
  feed(entry: LogEntry): void {
    if (this.phase === 'over') return;
    const { event, text, line } = entry;
    if (event === undefined) {
      this.readText(text, line);
    } else if (event.kind === 'dump') {
      this.meetDump(event.dump, line);
    } else {
      this.meetEvent(event, line);
    }
  }

  /** Ends the replay. */
  finish(): BootReplayResult {
    this.settle(0);
    return {
      memblock: this.memblock,
      checkpoints: this.checkpoints,
      dumps: this.dumps,
      allocations: this.allocations,
      operations: this.operations,
      differences: this.differences,
      numaBlocks: this.blocks,
    };
  }

  private create(state: MemblockState | undefined): Memblock {
    const options: MemblockOptions = {
      capacity: { resizable: true },
      ...this.options,
      debug: true,
      oddAlignment: 'mask',
      log: (text) => {
        this.hear(text);
      },
    };
    return state === undefined
      ? new Memblock(options)
      : Memblock.restore({ ...state, resizable: true }, options);
  }

  private hear(text: string): void {
    if (!this.listening) return;
    const event = parseDebugLine(text);
    if (event !== undefined) this.expected.push(event);
  }

  /** Makes an operation of ours; the lines it prints are expected from the log. */
  private withLines<T>(work: () => T): T {
    this.listening = true;
    try {
      return work();
    } finally {
      this.listening = false;
    }
  }

  private readText(text: string, line: number): void {
    const nodesBegin = this.numa.feed(text);
    if (this.phase === 'before') return;
    if (nodesBegin) {
      this.beginNodes(line);
      this.markHotplug();
    } else if (text.startsWith('Zone ranges:')) this.checkpoint('zones', line);
    else if (text.startsWith(SLAB_UP)) {
      this.checkpoint('hand-over', line);
      this.phase = 'over';
    }
  }

  private checkpoint(point: Checkpoint, line: number): void {
    this.settle(line);
    this.endSetup();
    this.checkpoints.set(point, this.memblock.toState());
  }

  private meetDump(dump: MemblockDump, line: number): void {
    this.settle(line);
    if (this.phase === 'before') {
      if (this.options.initial !== undefined) return;
      this.memblock = this.create(stateOfDump(dump, this.memblock.settings.maxNodes));
      this.phase = 'setup';
    }
    this.endSetup();
    this.dumps.push({
      line,
      printed: dump,
      ours: this.memblock.dump(),
      differences: compareDump(dump, this.memblock),
    });
  }

  /** The set-up ends with trimming, and memory is mapped soon after. */
  private endSetup(): void {
    if (this.phase !== 'setup') return;
    this.phase = 'early';
    // A replay that starts at the first configuration has the mark from there, or not.
    if (this.options.initial !== undefined && this.memblock.settings.profile.marksLowScratch) {
      this.memblock.mark(0, LOW_END, MemFlags.KHO_SCRATCH);
    }
    this.memblock.trimMemory(this.memblock.settings.pageSize);
    this.memblock.currentLimit = this.options.mappedLimit ?? this.memblock.endOfDram;
  }

  private meetEvent(event: DebugEvent, line: number): void {
    if (this.phase === 'before') {
      // What was printed earlier is part of the state that the replay starts from.
      const begins = event.kind === 'add' && event.caller.startsWith(SETUP);
      if (!begins || this.options.initial === undefined) return;
      this.phase = 'setup';
    }
    this.operations++;
    // Setting nodes splits regions, and may be the first to need a larger array.
    const growsFirst = event.kind === 'grown' && this.expected.length === 0;
    if (growsFirst && this.phase === 'node-reset') this.setNodes();
    if (this.isExpected(event, line)) return;
    if (event.kind === 'grown') {
      this.differ(line, showEvent(event), 'no growth');
      return;
    }
    if (this.phase === 'setup' && !event.caller.startsWith(SETUP)) this.endSetup();
    if (event.kind === 'request') this.allocate(event, line);
    else this.applyRange(event, line);
  }

  /** Whether the log shows a line that we are waiting for; a different line ends the waiting. */
  private isExpected(event: DebugEvent, line: number): boolean {
    const next = this.expected[0];
    if (next === undefined) return false;
    if (sameEvent(event, next)) {
      this.expected.shift();
      // Room for the reservation may need a larger array, which is reserved, too.
      if (event.kind === 'reserve' && this.pending !== undefined) {
        if (event.caller.startsWith(ALLOCATOR)) this.pending.printed = event.base;
        if (this.expected.length === 0) this.pending = undefined;
      }
      return true;
    }
    this.settle(line, event);
    return false;
  }

  /** Nothing more is coming of what we expect: undo what the kernel did not do. */
  private settle(line: number, instead?: DebugEvent): void {
    for (const missing of this.expected) {
      this.differ(line, instead === undefined ? 'nothing' : showEvent(instead), showEvent(missing));
    }
    const pending = this.pending;
    if (this.expected.length > 0 && pending?.predicted !== undefined) {
      this.memblock.free(pending.predicted, pending.request.size);
    }
    this.expected = [];
    const printsAddress =
      instead?.kind === 'reserve' &&
      instead.caller.startsWith(ALLOCATOR) &&
      instead.size === pending?.request.size;
    if (pending !== undefined && printsAddress) pending.printed = instead.base;
    this.pending = undefined;
  }

  private allocate(request: RequestEvent, line: number): void {
    this.pending = undefined;
    const predicted = this.withLines(() => requestFrom(this.memblock, request));
    // The first line that we print is the request itself.
    this.expected.shift();
    const allocation: ReplayedAllocation = { line, request, predicted, printed: undefined };
    this.allocations.push(allocation);
    this.pending = allocation;
    if (predicted !== undefined) this.markHugePage(request, predicted);
  }

  /** Pages of a huge page taken at boot are initialised by their owner, but for the first. */
  private markHugePage(request: RequestEvent, base: number): void {
    const { pageSize, profile } = this.memblock.settings;
    if (!profile.hugePagesNoinit || !request.caller.includes('bootmem_huge_page')) return;
    this.memblock.mark(base + pageSize, request.size - pageSize, MemFlags.RSRV_NOINIT);
  }

  private applyRange(event: RangeEvent, line: number): void {
    const pending = this.pending;
    this.pending = undefined;
    if (event.kind === 'reserve' && event.caller.startsWith(ALLOCATOR)) {
      if (pending === undefined) {
        // An allocation without a request line: the first descriptors of the nodes.
        this.setNodes();
      } else if (pending.predicted === undefined) {
        pending.printed = event.base;
        this.differ(line, showEvent(event), 'no room');
      }
    }
    const { memblock } = this;
    const attributes =
      event.nid === undefined ? undefined : { nid: event.nid, flags: event.flags ?? 0 };
    this.withLines(() => {
      if (event.kind === 'add') memblock.add(event.base, event.size, attributes);
      else if (event.kind === 'reserve') memblock.reserve(event.base, event.size, attributes);
      else if (event.kind === 'remove') memblock.remove(event.base, event.size);
      else if (event.kind === 'free') memblock.free(event.base, event.size);
      else if (event.kind === 'physmem-add') memblock.addPhysmem(event.base, event.size);
    });
    this.endLowScratch(event);
    // The first line that we print is the one we replay; lines of a growth come before a reservation's.
    const own = this.expected.findIndex((line_) => sameEvent(event, line_));
    if (own >= 0) this.expected.splice(own, 1);
  }

  /** All memory below 1 MiB is the kernel's own now: nothing more is allocated there. */
  private endLowScratch({ kind, base, size }: RangeEvent): void {
    if (!this.memblock.settings.profile.marksLowScratch) return;
    if (kind !== 'reserve' || base !== 0 || size !== LOW_END) return;
    this.memblock.clear(0, LOW_END, MemFlags.KHO_SCRATCH);
  }

  /** The kernel begins to set its nodes up: all regions lose theirs. */
  private beginNodes(line: number): void {
    if (this.phase === 'setup') this.endSetup();
    if (this.phase !== 'early') return;
    this.checkpoint('nodes', line);
    this.phase = 'node-reset';
    this.memblock.resetNodes();
  }

  /** Ranges that the firmware calls removable are marked as they are read. */
  private markHotplug(): void {
    if (this.phase !== 'node-reset') return;
    this.memblock.clear(0, Number.MAX_SAFE_INTEGER, MemFlags.HOTPLUG);
    for (const { start, end } of this.numa.hotplug) {
      this.memblock.mark(start, end - start, MemFlags.HOTPLUG);
    }
  }

  /** Each block sets its node; marks of removable memory stay only where nothing is taken yet. */
  private setNodes(): void {
    if (this.phase !== 'node-reset') return;
    this.phase = 'nodes-set';
    const { memblock } = this;
    memblock.direction = 'top-down';
    this.blocks = this.options.numaBlocks ?? this.numa.blocks(memblock);
    this.withLines(() => {
      for (const list of ['memory', 'reserved'] as const) {
        for (const { start, end, nid } of this.blocks) {
          memblock.setNode(start, end - start, list, nid);
        }
      }
    });
    const used = new Set(memblock.regions('reserved').map(({ nid }) => nid));
    for (const { start, end, nid } of this.blocks) {
      if (used.has(nid)) memblock.clear(start, end - start, MemFlags.HOTPLUG);
    }
  }

  private differ(line: number, expected: string, got: string): void {
    this.differences.push({ line, expected, got });
  }
}

function requestFrom(memblock: Memblock, request: RequestEvent): number | undefined {
  const { call, size, align, from, maxAddress } = request;
  if (call === 'phys_alloc_range') {
    const end = maxAddress === 0 ? ALLOC_ACCESSIBLE : maxAddress;
    return memblock.allocRange(size, { align, start: from, end });
  }
  const bounds = { align, min: from, max: maxAddress, nid: request.nid ?? -1 };
  if (call === 'alloc_try_nid') return memblock.allocPreferNid(size, bounds);
  if (call === 'alloc_try_nid_raw') return memblock.allocPreferNidRaw(size, bounds);
  return memblock.allocExactNid(size, bounds);
}
