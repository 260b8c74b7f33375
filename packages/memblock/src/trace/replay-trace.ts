/**
 * Runs a scenario of a trace on a {@link Memblock} and finds the first thing that differs.
 */
import { INITIAL_REGIONS, MemFlags } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import { profileForRelease, type MemblockProfile } from '../base/profiles.js';
import type { MemblockOptions, MemblockState, MemblockWarning, RegionType } from '../base/types.js';
import { Memblock } from '../memblock.js';
import {
  compareAnswer,
  compareCounts,
  compareState,
  compareText,
  regionsOf,
  type Mismatch,
  type Words,
} from './compare.js';
import { OPERATIONS, type AnswerKind, type Arguments } from './operations.js';
import type { TraceOperation, TraceScenario, TraceState } from './schema.js';
import { Translation, wordsOf } from './translation.js';

/** The first difference of a scenario. */
export interface TraceDifference extends Mismatch {
  /** Its name. */
  readonly scenario: string;
  /** Index of the operation, or -1 for the final state. */
  readonly index: number;
  /** The call in readable form. */
  readonly operation: string;
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
  private readonly words: Words;
  private readonly options: ReplayTraceOptions;
  private memblock: Memblock;
  private printed = '';
  private warnings = 0;
  private last: TraceState | undefined;
  private resizable: boolean;

  constructor(scenario: TraceScenario, options: ReplayTraceOptions) {
    this.scenario = scenario;
    this.options = options;
    this.words = {
      translation: new Translation(wordsOf(scenario)),
      pageSize: scenario.config.page_size,
    };
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
    const difference = compareState(this.words, final, this.memblock);
    return (
      difference && { ...difference, scenario: this.scenario.name, index: -1, operation: 'final' }
    );
  }

  /** An object in the scenario's setting. */
  private create(memory: number, reserved: number, initial?: TraceState): Memblock {
    const { config } = this.scenario;
    const { translation } = this.words;
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
      currentLimit: translation.toOurs(config.current_limit),
      log: (text) => {
        this.printed += text;
      },
      warn: (warning) => {
        this.countWarning(warning);
      },
    };
    if (initial === undefined) return new Memblock(options);
    const state: MemblockState = {
      memory: regionsOf(translation, initial.memory),
      reserved: regionsOf(translation, initial.reserved),
      memoryTotal: translation.toOurs(initial.memory_total),
      reservedTotal: translation.toOurs(initial.reserved_total),
      memoryMax: initial.memory_max,
      reservedMax: initial.reserved_max,
    };
    return Memblock.restore(state, options);
  }

  /** A missing alignment only dumps the stack in the kernel, which traces do not count. */
  private countWarning(warning: MemblockWarning): void {
    if (warning.kind !== 'no-alignment') this.warnings++;
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
      compareEnd(operation, crash) ??
      (crash === undefined ? compareAnswer(this.words, operation, answer, kind) : undefined) ??
      compareText(this.words, operation, this.printed, this.warnings > 0) ??
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
    const { translation, pageSize } = this.words;
    const value = (name: string): unknown => {
      const found = operation.args[name];
      if (found === undefined) {
        throw new MemblockError('ERR_MEMBLOCK_FORMAT', `${operation.op} has no argument ${name}`);
      }
      return found;
    };
    return {
      address: (name) => translation.toOurs(value(name) as string),
      page: (name) => translation.pageToOurs(value(name) as string, pageSize),
      number: (name) => value(name) as number,
      flag: (name) => value(name) as boolean,
      text: (name) => value(name) as string,
      list: (name) => value(name) as RegionType,
      optionalList: (name) => (value(name) as RegionType | null) ?? undefined,
    };
  }

  private compareAfter(operation: TraceOperation): Mismatch | undefined {
    const difference = compareCounts(this.words, operation, this.memblock);
    if (difference !== undefined) return difference;
    if (operation.after !== undefined) this.last = operation.after;
    else if (operation.same !== true) return undefined;
    return compareState(this.words, this.last, this.memblock);
  }
}

function compareEnd(operation: TraceOperation, crash: string | undefined): Mismatch | undefined {
  if (operation.crash === crash) return undefined;
  return { what: 'end', expected: operation.crash ?? 'returned', got: crash ?? 'returned' };
}

function crashOf(error: unknown): string | undefined {
  if (!(error instanceof MemblockError)) return undefined;
  if (error.code === 'ERR_MEMBLOCK_RESIZE_FORBIDDEN') return 'panic';
  return error.code === 'ERR_MEMBLOCK_INVARIANT' ? 'BUG' : undefined;
}

function describe(operation: TraceOperation): string {
  const args = Object.entries(operation.args).map(([name, value]) => `${name}=${String(value)}`);
  return `${operation.op}(${args.join(', ')})`;
}
