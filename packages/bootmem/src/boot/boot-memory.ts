/**
 * One boot, in the kernel's order.
 *
 * ```
 * plan ─▶ assemble ─▶ early + hand-over ─▶ first allocation ─▶ deferred, all nodes ─▶ marks ─▶ device
 *                                          ^ time to first allocation         ^ total time
 * ```
 * `eager` has no deferred part; `on-demand` leaves it to allocations.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { createZoneGrower } from '@bootmem/page-init';
import type { DeferredResult } from '@bootmem/page-init';
import { BootmemError } from '../errors.js';
import { planLayout } from '../plan/layout-plan.js';
import { chooseProfile } from '../plan/profile.js';
import type { AcceptMode, DeviceReport, InitMode } from '../result.js';
import { sharedNow } from '../worker/chunk-log.js';
import { assemble, bringUpEarly } from './assemble.js';
import type { Assembly } from './assemble.js';
import { DeferredPass } from './deferred.js';
import { initDevices } from './devices.js';
import { BootLog, layoutLines } from './log-lines.js';
import { Machine } from './machine.js';
import type { BootOptions } from './types.js';

/** Most threads a boot may use. */
const MAX_THREADS = 512;

const MODES: readonly InitMode[] = ['eager', 'deferred', 'on-demand'];

/**
 * Brings a machine's memory up.
 * @param description  from `@bootmem/firmware-map`, or {@link loadMachine}
 * @param options      threads, mode, acceptance, profile, progress
 * @returns the machine; dispose it to end its threads
 * @throws BootmemError ERR_BOOTMEM_USAGE for options out of range, ERR_BOOTMEM_NO_MEMORY_MAP when no memory
 *   follows from the description, ERR_BOOTMEM_ABORTED when the signal was raised
 * @remarks descriptors take about 2 bytes a page of real memory while booting, 14 at most
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
  const accept: AcceptMode = options.accept ?? description.options.acceptMemory ?? 'lazy';
  const profile = chooseProfile(options.profile ?? 'auto', description);
  const emit = options.onProgress ?? ((): void => undefined);
  const clock = { start: performance.now(), epoch: sharedNow() };
  const log = new BootLog(clock.start, (line, ms) => {
    emit({ kind: 'log', line, ms });
  });
  const elapsed = (): number => performance.now() - clock.start;

  emit({ kind: 'phase', phase: 'layout', ms: 0 });
  const plan = planLayout(description, profile);
  if (description.kernel !== undefined)
    log.add(`Linux version ${description.kernel.release} (profile ${profile})`);
  for (const line of layoutLines(plan)) log.add(line);
  const machine = assemble(plan, { defer: mode !== 'eager', accept, threads });
  const pass = new DeferredPass(machine, mode === 'deferred' ? threads : 1);
  try {
    emit({ kind: 'phase', phase: 'early', ms: elapsed() });
    const early = bringUpEarly(machine);
    const earlyMs = elapsed();
    for (const line of early.lines) log.add(line);
    if (mode === 'on-demand') {
      machine.allocator.setHooks({
        grow: createZoneGrower(pass.nodes),
        ...(machine.acceptance === undefined ? {} : { accept: machine.acceptance.acceptor }),
      });
    }
    const firstAllocationMs = firstAllocation(machine, clock.start);
    log.add(`first page allocated ${firstAllocationMs.toFixed(2)}ms after the start`);
    emit({ kind: 'phase', phase: 'first-allocation', ms: firstAllocationMs });

    let deferred: DeferredResult | undefined;
    const deferredFrom = elapsed();
    if (mode === 'deferred' && pass.nodes.length > 0) {
      emit({ kind: 'phase', phase: 'deferred', ms: deferredFrom });
      deferred = await pass.run({
        signal,
        onProgress: (done, total) => {
          emit({ kind: 'pages', done, total });
        },
        onNode: (line) => {
          log.add(line);
        },
      });
    }
    throwIfAborted(signal);
    const deferredMs = deferred === undefined ? 0 : elapsed() - deferredFrom;
    machine.allocator.drain();
    machine.allocator.setupMarks();
    const totalMs = elapsed();
    const devices: DeviceReport[] = await initDevices(machine, (line) => {
      log.add(line);
    });
    emit({ kind: 'phase', phase: 'done', ms: elapsed() });
    return new Machine({
      assembly: machine,
      pass,
      log,
      clock,
      options: { threads, mode, accept, profile },
      source: options.source ?? description.source.name ?? 'description',
      notes: [
        ...(options.notes ?? []),
        ...machine.handover.notes,
        ...plan.derived.problems.map((one) => one.message),
      ],
      timing: { firstAllocationMs, earlyMs, deferredMs, totalMs },
      early,
      deferred,
      devices,
    });
  } catch (error) {
    await pass.close();
    if (signal?.aborted === true) throw aborted(error);
    throw error;
  }
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
  return new BootmemError('ERR_BOOTMEM_ABORTED', 'the boot was interrupted', {}, cause);
}

/** Allocates and frees one page: from here on the machine's memory is usable. */
function firstAllocation(machine: Assembly, start: number): number {
  const pfn = machine.allocator.allocPages(0, { migratetype: 1 });
  const ms = performance.now() - start;
  if (pfn === undefined) {
    throw new BootmemError('ERR_BOOTMEM_INIT', 'no page can be allocated: everything is reserved', {
      zones: machine.allocator.zones.length,
    });
  }
  machine.allocator.freePages(pfn, 0);
  machine.allocator.drain();
  return ms;
}
