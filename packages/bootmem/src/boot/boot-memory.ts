/**
 * One boot, in the kernel's order.
 *
 * ```
 * threads up ─▶ plan ─▶ assemble ─▶ early + hand-over ─▶ first allocation ─▶ deferred, all nodes ─▶ marks
 *              ^ the clock starts                        ^ time to first allocation          total time ^
 * then, in the background: device memory
 * ```
 * `eager` has no deferred part; `on-demand` leaves it to allocations.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { WorkPool } from '@bootmem/padata';
import { createZoneGrower } from '@bootmem/page-init';
import type { DeferredResult } from '@bootmem/page-init';
import { BootmemError } from '../errors.js';
import { planLayout } from '../plan/layout-plan.js';
import { chooseRelease, releaseName } from '../plan/profile.js';
import type { AcceptMode, InitMode } from '../result.js';
import { workerFunctions } from '../worker/functions.js';
import type { WorkerFunctions } from '../worker/functions.js';
import { sharedNow } from '../worker/chunk-log.js';
import { assemble, bringUpEarly } from './assemble.js';
import type { Assembly } from './assemble.js';
import { DeferredPass, startThreads } from './deferred.js';
import { Devices } from './devices.js';
import { BootLog, layoutLines } from './log-lines.js';
import { Machine } from './machine.js';
import type { BootEvent, BootOptions } from './types.js';

/** Most threads a boot may use. */
export const MAX_THREADS = 255;

/** How long the deferred pass waits for threads that are still attaching, milliseconds. */
const ATTACH_WAIT_MS = 10;

const MODES: readonly InitMode[] = ['eager', 'deferred', 'on-demand'];

/** What one boot carries along. */
interface Context {
  readonly description: MachineDescription;
  readonly options: { threads: number; mode: InitMode; accept: AcceptMode; profile: string };
  /** The profile as asked for. */
  readonly asked: string;
  readonly signal: AbortSignal | undefined;
  readonly emit: (event: BootEvent) => void;
  readonly log: BootLog;
  readonly elapsed: () => number;
}

/**
 * Brings a machine's memory up.
 * @param description  from `@bootmem/firmware-map`, or `loadMachine`
 * @param options      threads, mode, acceptance, profile, progress
 * @returns the machine; close it to end its threads. Device memory may still be coming up: see
 *   `machine.devicesReady()`
 * @throws BootmemError ERR_BOOTMEM_USAGE for options out of range, ERR_BOOTMEM_NO_MEMORY_MAP when no memory
 *   follows from the description, ERR_BOOTMEM_ABORTED when the signal was raised
 * @remarks shared memory of 14 bytes a page is reserved; a boot touches about 3 of them
 */
export async function bootMemory(
  description: MachineDescription,
  options: BootOptions = {},
): Promise<Machine> {
  const threads = options.threads ?? 2;
  const mode = options.mode ?? 'deferred';
  checkOptions(threads, mode);
  const { signal } = options;
  throwIfAborted(signal);
  const asked = options.profile ?? 'auto';
  const profile = releaseName(chooseRelease(asked, description));
  const accept: AcceptMode = options.accept ?? description.options.acceptMemory ?? 'lazy';
  const emit = options.onProgress ?? ((): void => undefined);

  const began = performance.now();
  const functions = workerFunctions(options.workerModule);
  const pool = await startThreads(mode === 'deferred' ? threads : 1, functions, options.worker);
  try {
    const clock = { start: performance.now(), epoch: sharedNow() };
    const context: Context = {
      description,
      options: { threads, mode, accept, profile },
      asked,
      signal,
      emit,
      log: new BootLog(clock.start, (line, ms) => {
        emit({ kind: 'log', line, ms });
      }),
      elapsed: () => performance.now() - clock.start,
    };
    const up = await bringUp(context, pool, functions);
    const threading = { machine: up.pass.handle(), pool, functions };
    const devices = new Devices(up.assembly, threading, (line) => {
      context.log.add(line);
    });
    emit({ kind: 'phase', phase: 'done', ms: context.elapsed() });
    return new Machine({
      ...up,
      devices,
      log: context.log,
      clock,
      options: context.options,
      source: options.source ?? description.source.name ?? 'description',
      notes: [
        ...(options.notes ?? []),
        ...up.assembly.handover.notes,
        ...up.assembly.plan.derived.problems.map((one) => one.message),
        ...devices.notes,
      ],
      timing: { ...up.timing, threadStartMs: clock.start - began },
    });
  } catch (error) {
    await pool.close();
    if (signal?.aborted === true) throw aborted(error);
    throw error;
  }
}

/** What {@link bringUp} leaves behind. */
interface BroughtUp {
  readonly assembly: Assembly;
  readonly pass: DeferredPass;
  readonly deferred: DeferredResult | undefined;
  readonly timing: {
    firstAllocationMs: number;
    earlyMs: number;
    deferredMs: number;
    totalMs: number;
  };
}

async function bringUp(
  context: Context,
  pool: WorkPool,
  functions: WorkerFunctions,
): Promise<BroughtUp> {
  const { description, options, asked, signal, emit, log, elapsed } = context;
  const { threads, mode, accept, profile } = options;
  emit({ kind: 'phase', phase: 'layout', ms: 0 });
  const plan = planLayout(description, asked);
  if (description.kernel !== undefined) {
    log.add(`Linux version ${description.kernel.release} (profile ${profile})`);
  }
  for (const line of layoutLines(plan)) log.add(line);
  const assembly = assemble(plan, { defer: mode !== 'eager', accept, threads });
  const pass = new DeferredPass(assembly, pool, functions, mode === 'deferred' ? threads : 1);

  const earlyFrom = elapsed();
  emit({ kind: 'phase', phase: 'early', ms: earlyFrom });
  if (mode === 'deferred') pass.prepare();
  const early = bringUpEarly(assembly);
  const earlyMs = elapsed() - earlyFrom;
  for (const line of early.lines) log.add(line);
  if (mode === 'on-demand') growOnDemand(assembly, pass);
  const firstAllocationMs = firstAllocation(assembly, elapsed);
  log.add(`first page allocated ${firstAllocationMs.toFixed(2)}ms after the start`);
  emit({ kind: 'phase', phase: 'first-allocation', ms: firstAllocationMs });

  await pass.settle(ATTACH_WAIT_MS);
  const deferredFrom = elapsed();
  const deferred =
    mode === 'deferred' && pass.nodes.length > 0 ? await runPass(context, pass) : undefined;
  throwIfAborted(signal);
  const deferredMs = deferred === undefined ? 0 : elapsed() - deferredFrom;
  assembly.allocator.drain();
  assembly.allocator.setupMarks();
  const timing = { firstAllocationMs, earlyMs, deferredMs, totalMs: elapsed() };
  return { assembly, pass, deferred, timing };
}

function runPass(context: Context, pass: DeferredPass): Promise<DeferredResult> {
  const { emit, log, signal, elapsed } = context;
  emit({ kind: 'phase', phase: 'deferred', ms: elapsed() });
  return pass.run({
    signal,
    onProgress: (done, total) => {
      emit({ kind: 'pages', done, total });
    },
    onNode: (line) => {
      log.add(line);
    },
  });
}

/** Lets allocations that run short initialise more. */
function growOnDemand(assembly: Assembly, pass: DeferredPass): void {
  assembly.allocator.setHooks({
    grow: createZoneGrower(pass.nodes),
    ...(assembly.acceptance === undefined ? {} : { accept: assembly.acceptance.acceptor }),
  });
}

/** Allocates and frees one page: from here on the machine's memory is usable. */
function firstAllocation(machine: Assembly, elapsed: () => number): number {
  const pfn = machine.allocator.allocPages(0, { migratetype: 1 });
  const ms = elapsed();
  if (pfn === undefined) {
    throw new BootmemError('ERR_BOOTMEM_INIT', 'no page can be allocated: everything is reserved', {
      zones: machine.allocator.zones.length,
    });
  }
  machine.allocator.freePages(pfn, 0);
  machine.allocator.drain();
  return ms;
}

function checkOptions(threads: number, mode: InitMode): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      `threads is a whole number from 1 to ${MAX_THREADS}, got ${threads}`,
      { threads },
    );
  }
  if (!MODES.includes(mode)) {
    throw new BootmemError('ERR_BOOTMEM_USAGE', `mode is one of ${MODES.join(', ')}, got ${mode}`, {
      mode,
    });
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason);
}

function aborted(cause: unknown): BootmemError {
  return new BootmemError('ERR_BOOTMEM_ABORTED', 'the boot was interrupted', {}, { cause });
}
