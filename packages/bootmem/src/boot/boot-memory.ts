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
import { inTurns } from '@bootmem/firmware-map/derive';
import { createZoneGrower } from '@bootmem/page-init';
import type { DeferredResult } from '@bootmem/page-init';
import { BootmemError, codeOf, messageOf } from '../errors.js';
import { planLayoutSteps } from '../plan/layout-plan.js';
import { chooseRelease, releaseName } from '../plan/profile.js';
import { handoverSteps } from '../accounts/handover.js';
import { planPages } from '../plan/init-plan.js';
import { checkEarlyNeeds, checkNeeds, mostDescriptors, needsOf } from '../plan/limits/needs.js';
import type { BootNeeds } from '../plan/limits/needs.js';
import { threadLimits } from '../plan/limits/thread-limits.js';
import type { PerNode } from '../plan/limits/thread-limits.js';
import type { AcceptMode, InitMode, PredictionReport } from '../result.js';
import { workerFunctions } from '../worker/functions.js';
import type { WorkerFunctions } from '../worker/functions.js';
import { sharedNow } from '../worker/chunk-log.js';
import { assembleSteps, bringUpEarlySteps } from './assemble.js';
import type { Assembly } from './assemble.js';
import { DeferredPass } from './deferred.js';
import { Devices } from './devices.js';
import { BootLog, layoutLines, needsLines, placementLines } from './log-lines.js';
import { Machine } from './machine.js';
import { predictRest } from './prediction.js';
import { checkBinding, startThreads } from './threads.js';
import type { BootThreads } from './threads.js';
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
  readonly perNode: PerNode;
  readonly limitBytes: number | undefined;
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
 *   follows from the description, ERR_BOOTMEM_BIND when a thread could not be tied,
 *   ERR_BOOTMEM_INIT when the address space is not to be had, ERR_BOOTMEM_ABORTED when the signal was raised
 * @remarks shared memory of 14 bytes a page is reserved; a boot touches a little more than 2 of them. A line of the log says how
 *   much before it is done. A machine of more than 2^31 pages (8 TiB of 4 KiB) is brought up to its first allocation
 *   and the rest predicted (`report().predicted`), and so is one that would touch more than `limitBytes`; one of more than
 *   255 zones is refused
 */
export async function bootMemory(
  description: MachineDescription,
  options: BootOptions = {},
): Promise<Machine> {
  const threads = options.threads ?? 2;
  const mode = options.mode ?? 'deferred';
  checkOptions(threads, mode);
  checkPerNode(options.perNode);
  checkBinding(options.binding);
  checkLimit(options.limitBytes);
  const { signal } = options;
  throwIfAborted(signal);
  const asked = options.profile ?? 'auto';
  const profile = releaseName(chooseRelease(asked, description));
  const accept: AcceptMode = options.accept ?? description.options.acceptMemory ?? 'lazy';
  const emit = options.onProgress ?? ((): void => undefined);

  const began = performance.now();
  const functions = workerFunctions(options.workerModule);
  const running = await startThreads(functions, {
    threads: mode === 'deferred' ? threads : 1,
    worker: options.worker,
    binding: options.binding,
  });
  const { pool } = running;
  try {
    const clock = { start: performance.now(), epoch: sharedNow() };
    const context: Context = {
      description,
      options: { threads, mode, accept, profile },
      asked,
      perNode: options.perNode,
      limitBytes: options.limitBytes,
      signal,
      emit,
      log: new BootLog(clock.start, (line, ms) => {
        emit({ kind: 'log', line, ms });
      }),
      elapsed: () => performance.now() - clock.start,
    };
    const up = await bringUp(context, running, functions);
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
    throw codeOf(error) === NOT_RESERVED ? notReserved(error) : error;
  }
}

/** What {@link bringUp} leaves behind. */
interface BroughtUp {
  readonly assembly: Assembly;
  readonly pass: DeferredPass;
  readonly deferred: DeferredResult | undefined;
  readonly predicted: PredictionReport | undefined;
  readonly timing: {
    firstAllocationMs: number;
    earlyMs: number;
    deferredMs: number;
    totalMs: number;
  };
}

async function bringUp(
  context: Context,
  running: BootThreads,
  functions: WorkerFunctions,
): Promise<BroughtUp> {
  const { description, options, asked, signal, emit, log } = context;
  const { threads, mode, accept, profile } = options;
  emit({ kind: 'phase', phase: 'layout', ms: 0 });
  const plan = await inTurns(planLayoutSteps(description, asked), signal);
  const needs = needsOf(plan, mostDescriptors(context.limitBytes));
  checkNeeds(needs, mode === 'eager');
  if (!needs.whole) {
    const pages = planPages(plan, (await inTurns(handoverSteps(plan), signal)).memblock, true);
    checkEarlyNeeds(pages, plan.pagesPerSection, needs.most);
  }
  if (description.kernel !== undefined) {
    log.add(`Linux version ${description.kernel.release} (profile ${profile})`);
  }
  for (const line of layoutLines(plan)) log.add(line);
  for (const line of needsLines(needs, mode !== 'on-demand')) log.add(line);
  const settings = { defer: mode !== 'eager', accept, threads, needs };
  const assembly = await inTurns(assembleSteps(plan, settings), signal);
  const limits = threadLimits(plan, context.perNode);
  const pass = new DeferredPass(assembly, running, functions, {
    threads: mode === 'deferred' ? threads : 1,
    limitOf: limits.of,
  });
  try {
    return await bringUpPages(context, running, { assembly, pass, needs, why: limits.why });
  } catch (error) {
    // Whoever waits for the boot to go on lets its memory go.
    await pass.close();
    assembly.allocator.close();
    throw error;
  }
}

/** What is brought up. */
interface ToBringUp {
  readonly assembly: Assembly;
  readonly pass: DeferredPass;
  readonly needs: BootNeeds;
  /** Why so many threads work on a node. */
  readonly why: string;
}

async function bringUpPages(
  context: Context,
  running: BootThreads,
  { assembly, pass, needs, why }: ToBringUp,
): Promise<BroughtUp> {
  const { options, emit, log, elapsed, signal } = context;
  const { threads, mode } = options;
  const { whole } = needs;
  const passes = mode === 'deferred' && whole;

  const earlyFrom = elapsed();
  emit({ kind: 'phase', phase: 'early', ms: earlyFrom });
  if (passes) {
    log.add(`deferred pages: ${threads} threads, ${why}`);
    for (const line of placementLines(running.placement)) log.add(line);
    pass.prepare();
  }
  const early = await inTurns(bringUpEarlySteps(assembly), signal);
  const earlyMs = elapsed() - earlyFrom;
  for (const line of early.lines) log.add(line);
  if (mode === 'on-demand' || !whole) growOnDemand(assembly, pass, whole);
  const firstAllocationMs = firstAllocation(assembly, elapsed);
  log.add(`first page allocated ${firstAllocationMs.toFixed(2)}ms after the start`);
  emit({ kind: 'phase', phase: 'first-allocation', ms: firstAllocationMs });

  await pass.settle(ATTACH_WAIT_MS);
  const deferredFrom = elapsed();
  const deferred = passes && pass.nodes.length > 0 ? await runPass(context, pass) : undefined;
  throwIfAborted(signal);
  const predicted = whole
    ? undefined
    : predictRest(pass.nodes, pass.totalPages, `more than ${needs.most} page descriptors`);
  const deferredMs = deferred === undefined ? 0 : elapsed() - deferredFrom;
  assembly.allocator.drain();
  assembly.allocator.setupMarks();
  const timing = { firstAllocationMs, earlyMs, deferredMs, totalMs: elapsed() };
  return { assembly, pass, deferred, predicted, timing };
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

/** Slots that are left to what is going on while the last section is grown. */
const SPARE_SECTIONS = 64;

/** Lets allocations that run short initialise more, as long as descriptors are left. */
function growOnDemand(
  { allocator, memmap, acceptance }: Assembly,
  pass: DeferredPass,
  whole: boolean,
): void {
  const grow = createZoneGrower(pass.nodes);
  const isLeft = (): boolean => {
    const { sections, capacitySections } = memmap.usage();
    return sections + SPARE_SECTIONS < capacitySections;
  };
  allocator.setHooks({
    // Where there are fewer descriptors than pages, the allocator finds none left before they run out.
    grow: whole ? grow : (zoneId, order) => isLeft() && grow(zoneId, order),
    ...(acceptance === undefined ? {} : { accept: acceptance.acceptor }),
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

function checkPerNode(perNode: PerNode): void {
  const isCount = typeof perNode === 'number' && Number.isInteger(perNode) && perNode >= 1;
  if (perNode === undefined || perNode === 'architecture' || isCount) return;
  throw new BootmemError(
    'ERR_BOOTMEM_USAGE',
    `perNode is a whole number from 1, or 'architecture', got ${String(perNode)}`,
    { perNode },
  );
}

function checkLimit(limitBytes: number | undefined): void {
  if (limitBytes === undefined || (Number.isSafeInteger(limitBytes) && limitBytes > 0)) return;
  throw new BootmemError(
    'ERR_BOOTMEM_USAGE',
    `limitBytes is a whole number of bytes above 0, got ${String(limitBytes)}`,
    { limitBytes },
  );
}

/** What the map of descriptors says when the system refuses it memory. */
const NOT_RESERVED = 'ERR_MEMMAP_STORAGE';

function notReserved(cause: unknown): BootmemError {
  const message = `the system does not give the address space for page descriptors: ${messageOf(cause)} (see ulimit -v)`;
  return new BootmemError('ERR_BOOTMEM_INIT', message, {}, { cause });
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal.reason);
}

function aborted(cause: unknown): BootmemError {
  return new BootmemError('ERR_BOOTMEM_ABORTED', 'the boot was interrupted', {}, { cause });
}
