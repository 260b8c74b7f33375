/**
 * Runs a scenario of a trace on a {@link Memblock} and finds the first thing that differs.
 */
import { INITIAL_REGIONS, MemFlags } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import { Memblock } from '../memblock.js';
import { profileForRelease, type MemblockProfile } from '../base/profiles.js';
import { hexAddress } from '../base/notation.js';
import type {
  MemblockOptions,
  MemblockState,
  MemblockWarning,
  MemRegion,
  RegionType,
} from '../base/types.js';
import { OPERATIONS, type AnswerKind, type Arguments } from './operations.js';
import type { TraceOperation, TraceRegion, TraceScenario, TraceState } from './schema.js';
import { Translation, wordsOf } from './translation.js';

/** The first difference of a scenario. */
export interface TraceDifference {
  readonly scenario: string;
  /** Index of the operation, or -1 for the final state. */
  readonly index: number;
  /** The call in readable form. */
  readonly operation: string;
  /** What differs: the answer, the state, the printed text, a warning, the way it ended. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** Options of a replay. */
export interface ReplayTraceOptions {
  /** Kernel whose traces these are; default 6.12. */
  readonly profile?: MemblockProfile;
  /** Check every invariant after each operation; default false. */
  readonly verify?: boolean;
}

/**
 * Replays one scenario.
 * @returns undefined when every answer and every state is as recorded, else the first difference
 */
export function replayTrace(
  scenario: TraceScenario,
  options: ReplayTraceOptions = {},
): TraceDifference | undefined {
  return new TraceReplay(scenario, options).run();
}

class TraceReplay {
  private readonly scenario: TraceScenario;
  private readonly translation: Translation;
  private readonly options: ReplayTraceOptions;
  private readonly pageSize: number;
  private memblock: Memblock;
  private printed = '';
  private warnings = 0;
  private last: TraceState | undefined;
  private resizable: boolean;

  constructor(scenario: TraceScenario, options: ReplayTraceOptions) {
    this.scenario = scenario;
    this.options = options;
    this.translation = new Translation(wordsOf(scenario));
    this.pageSize = scenario.config.page_size;
    this.last = scenario.initial;
    this.resizable = scenario.config.allow_resize;
    this.memblock = this.create(
      scenario.config.memory_max,
      scenario.config.reserved_max,
      scenario.initial,
    );
  }

  run(): TraceDifference | undefined {
    const { ops, final } = this.scenario;
    for (let index = 0; index < ops.length; index++) {
      const difference = this.step(ops[index]!, index);
      if (difference !== undefined) return difference;
    }
    if (final === undefined) return undefined;
    const difference = this.compareState(final);
    return (
      difference && { ...difference, scenario: this.scenario.name, index: -1, operation: 'final' }
    );
  }

  /** An object in the scenario's setting. */
  private create(memory: number, reserved: number, initial?: TraceState): Memblock {
    const { config } = this.scenario;
    const options: MemblockOptions = {
      profile: this.options.profile ?? profileForRelease('6.12'),
      pageSize: config.page_size,
      cacheLineSize: config.smp_cache_bytes,
      maxNodes: config.max_numnodes,
      capacity: { memory, reserved, resizable: config.allow_resize },
      movableNode: config.movable_node,
      mirroredKernelcore: config.mirrored_kernelcore,
      debug: config.debug ?? false,
      oddAlignment: 'mask',
      direction: config.bottom_up ? 'bottom-up' : 'top-down',
      currentLimit: this.translation.toOurs(config.current_limit),
      log: (text) => {
        this.printed += text;
      },
      warn: (warning) => {
        this.countWarning(warning);
      },
    };
    if (initial === undefined) return new Memblock(options);
    const state: MemblockState = {
      memory: this.regions(initial.memory),
      reserved: this.regions(initial.reserved),
      memoryTotal: this.translation.toOurs(initial.memory_total),
      reservedTotal: this.translation.toOurs(initial.reserved_total),
      memoryMax: initial.memory_max,
      reservedMax: initial.reserved_max,
    };
    return Memblock.restore(state, options);
  }

  /** A missing alignment only dumps the stack in the kernel, which traces do not count. */
  private countWarning(warning: MemblockWarning): void {
    if (warning.kind !== 'no-alignment') this.warnings++;
  }

  private regions(regions: readonly TraceRegion[]): MemRegion[] {
    return regions.map(([base, size, flags, nid]) => ({
      base: this.translation.toOurs(base),
      size: this.translation.toOurs(size),
      flags,
      nid,
    }));
  }

  private step(operation: TraceOperation, index: number): TraceDifference | undefined {
    this.printed = '';
    this.warnings = 0;
    let answer: unknown;
    let crash: string | undefined;
    let kind: AnswerKind = 'plain';
    if (operation.op === 'allow_resize') this.resizable = true;
    if (operation.op === 'reset_regions') {
      this.resetRegions();
      answer = null;
    } else {
      const known = OPERATIONS[operation.op];
      if (known === undefined) {
        throw new MemblockError('ERR_MEMBLOCK_FORMAT', `unknown operation ${operation.op}`);
      }
      kind = known.kind;
      try {
        answer = known.run(this.memblock, this.argumentsOf(operation), (text) => {
          this.printed += text;
        });
      } catch (error) {
        crash = crashOf(error);
        if (crash === undefined) throw error;
      }
    }
    const difference =
      this.compareEnd(operation, crash) ??
      (crash === undefined ? this.compareAnswer(operation, answer, kind) : undefined) ??
      this.compareText(operation) ??
      (crash === undefined ? this.compareAfter(operation) : undefined);
    if (difference === undefined) {
      if (this.options.verify === true && crash === undefined) this.memblock.verify();
      return undefined;
    }
    return {
      ...difference,
      scenario: this.scenario.name,
      index,
      operation: describe(operation),
    };
  }

  /** A test suite's own reset: lists, totals and arrays as at the start, attributes kept. */
  private resetRegions(): void {
    const { direction, currentLimit, hasMirror } = this.memblock.toState();
    const fresh = this.create(INITIAL_REGIONS, INITIAL_REGIONS);
    fresh.direction = direction!;
    fresh.currentLimit = currentLimit!;
    if (this.resizable) fresh.allowResize();
    this.memblock = fresh;
    if (hasMirror === true) this.mirrorAgain();
  }

  /** Known mirrored memory stays known when the lists are emptied: marking nothing says so. */
  private mirrorAgain(): void {
    this.memblock.mark(0, 0, MemFlags.MIRROR);
  }

  private argumentsOf(operation: TraceOperation): Arguments {
    const value = (name: string): unknown => {
      const found = operation.args[name];
      if (found === undefined) {
        throw new MemblockError('ERR_MEMBLOCK_FORMAT', `${operation.op} has no argument ${name}`);
      }
      return found;
    };
    return {
      address: (name) => this.translation.toOurs(value(name) as string),
      page: (name) => this.translation.pageToOurs(value(name) as string, this.pageSize),
      number: (name) => value(name) as number,
      flag: (name) => value(name) as boolean,
      text: (name) => value(name) as string,
      list: (name) => value(name) as RegionType,
      optionalList: (name) => (value(name) as RegionType | null) ?? undefined,
    };
  }

  private compareEnd(operation: TraceOperation, crash: string | undefined): Partial3 | undefined {
    if (operation.crash === crash) return undefined;
    return { what: 'end', expected: operation.crash ?? 'returned', got: crash ?? 'returned' };
  }

  private compareAnswer(
    operation: TraceOperation,
    answer: unknown,
    kind: AnswerKind,
  ): Partial3 | undefined {
    const expected =
      operation.op === 'free_all'
        ? this.expectedHandover(operation.ret)
        : this.expectedAnswer(operation.ret, kind);
    const got = kind === 'pages' ? wrapPages(answer, this.pageSize) : answer;
    const left = JSON.stringify(expected);
    const right = JSON.stringify(got);
    if (left === right) return undefined;
    return { what: 'answer', expected: readable(expected), got: readable(got) };
  }

  private expectedAnswer(value: unknown, kind: AnswerKind): unknown {
    if (typeof value === 'string') {
      return kind === 'pages'
        ? this.translation.pageToOurs(value, this.pageSize)
        : this.translation.toOurs(value);
    }
    if (Array.isArray(value)) return value.map((item) => this.expectedAnswer(item, kind));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, this.expectedAnswer(item, kind)]),
      );
    }
    return value;
  }

  private expectedHandover(value: unknown): unknown {
    const { pages, freed_calls, freed, reserved_init } = value as Record<string, unknown>;
    return {
      pages,
      freed_calls,
      freed: this.expectedAnswer(freed, 'pages'),
      reserved_init: this.expectedAnswer(reserved_init, 'address'),
    };
  }

  private compareText(operation: TraceOperation): Partial3 | undefined {
    const expected = this.translation.textToOurs(operation.log ?? '', hexAddress);
    if (expected !== this.printed) {
      return { what: 'text', expected, got: this.printed };
    }
    // Both passes of an insertion complain in the kernel: only yes or no counts.
    const warned = (operation.warn ?? 0) > 0;
    if (warned === this.warnings > 0) return undefined;
    return { what: 'warning', expected: String(warned), got: String(this.warnings > 0) };
  }

  private compareAfter(operation: TraceOperation): Partial3 | undefined {
    if (operation.n !== undefined) {
      const difference = this.compareCompact(operation);
      if (difference !== undefined) return difference;
    }
    if (operation.after !== undefined) this.last = operation.after;
    else if (operation.same !== true) return undefined;
    return this.last === undefined ? this.compareState(EMPTY_STATE) : this.compareState(this.last);
  }

  private compareCompact(operation: TraceOperation): Partial3 | undefined {
    const [memoryCount, memoryTotal, reservedCount, reservedTotal] = operation.n!;
    const expected = [
      memoryCount,
      this.translation.toOurs(memoryTotal),
      reservedCount,
      this.translation.toOurs(reservedTotal),
    ];
    const { memblock } = this;
    const got = [
      memblock.regionCount('memory'),
      memblock.physMemSize,
      memblock.regionCount('reserved'),
      memblock.reservedSize,
    ];
    if (JSON.stringify(expected) !== JSON.stringify(got)) {
      return { what: 'counts', expected: readable(expected), got: readable(got) };
    }
    // The hash is of the recorded words, which a mapping away from both ends changes.
    if (operation.h === undefined || this.translation.usesAnchors) return undefined;
    const hash = hashState(memblock);
    return hash === operation.h ? undefined : { what: 'hash', expected: operation.h, got: hash };
  }

  private compareState(state: TraceState): Partial3 | undefined {
    const { memblock } = this;
    for (const type of ['memory', 'reserved'] as const) {
      const expected = this.regions(state[type]);
      const got = memblock.regions(type);
      for (let k = 0; k < Math.max(expected.length, got.length); k++) {
        const left = expected[k];
        const right = got[k];
        if (showRegion(left) !== showRegion(right)) {
          return {
            what: `${type}[${k}] of ${expected.length}`,
            expected: showRegion(left),
            got: showRegion(right),
          };
        }
      }
    }
    if (state === EMPTY_STATE) return undefined;
    const expected = [
      this.translation.toOurs(state.memory_total),
      this.translation.toOurs(state.reserved_total),
      state.memory_max,
      state.reserved_max,
    ];
    const got = [
      memblock.physMemSize,
      memblock.reservedSize,
      memblock.arrayCapacity('memory'),
      memblock.arrayCapacity('reserved'),
    ];
    if (JSON.stringify(expected) === JSON.stringify(got)) return undefined;
    return { what: 'totals and room', expected: readable(expected), got: readable(got) };
  }
}

interface Partial3 {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

const EMPTY_STATE: TraceState = {
  memory: [],
  reserved: [],
  memory_total: '0x0',
  reserved_total: '0x0',
  memory_max: 0,
  reserved_max: 0,
};

function crashOf(error: unknown): string | undefined {
  if (!(error instanceof MemblockError)) return undefined;
  if (error.code === 'ERR_MEMBLOCK_RESIZE_FORBIDDEN') return 'panic';
  return error.code === 'ERR_MEMBLOCK_INVARIANT' ? 'BUG' : undefined;
}

/** The kernel's page counts are unsigned words; ours may be below zero. */
function wrapPages(answer: unknown, pageSize: number): unknown {
  return typeof answer === 'number' && answer < 0 ? answer + 2 ** 53 / pageSize : answer;
}

function showRegion(region: MemRegion | undefined): string {
  if (region === undefined) return 'none';
  const end = region.base + region.size;
  return `[0x${region.base.toString(16)}, 0x${end.toString(16)}) flags ${region.flags} nid ${region.nid}`;
}

function readable(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'number' && item > 4096 ? `0x${item.toString(16)}` : item,
  );
}

function describe(operation: TraceOperation): string {
  const args = Object.entries(operation.args).map(([name, value]) => `${name}=${String(value)}`);
  return `${operation.op}(${args.join(', ')})`;
}

/** FNV-1a over the text form of both lists, as the trace format defines it. */
export function hashState(memblock: Memblock): string {
  let hash = 0x811c9dc5;
  const feed = (text: string): void => {
    for (let k = 0; k < text.length; k++) {
      hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
    }
  };
  const feedList = (type: RegionType): void => {
    memblock.forEachRegion(type, (base, size, flags, nid) => {
      feed(`${base.toString(16)}:${size.toString(16)}:${flags}:${nid};`);
    });
  };
  feedList('memory');
  feed('|');
  feedList('reserved');
  return (hash >>> 0).toString(16).padStart(8, '0');
}
