/**
 * A machine whose memory is up: typed access to everything that was built, a report, and its end.
 */
import type { AllocOptions, PageAllocator } from '@bootmem/buddy-allocator/machine';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { Memblock } from '@bootmem/memblock';
import type { Memmap } from '@bootmem/memmap';
import { BootmemError } from '../errors.js';
import type { LayoutPlan } from '../plan/layout-plan.js';
import type { BootReport, DeviceReport } from '../result.js';
import { acceptedUnits } from './acceptance.js';
import { bootReport, buddyinfoText } from './boot-report.js';
import type { AcceptedPoint, MachineParts } from './boot-report.js';
import type { Devices } from './devices.js';

/** A machine whose memory is up. */
export class Machine implements AsyncDisposable {
  readonly #parts: MachineParts;
  readonly #timeline: AcceptedPoint[] = [];
  #closed = false;

  /** Made by `bootMemory`. */
  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#sample(parts.timing.totalMs);
  }

  /** What was booted. */
  get description(): MachineDescription {
    return this.#parts.assembly.plan.description;
  }

  /** Zones, memory ranges, holes. */
  get plan(): LayoutPlan {
    return this.#parts.assembly.plan;
  }

  /** memblock as it was at hand-over. */
  get memblock(): Memblock {
    return this.#parts.assembly.handover.memblock;
  }

  /** Page descriptors. */
  get memmap(): Memmap {
    return this.#parts.assembly.memmap;
  }

  /** The page allocator, as the calling thread sees it. */
  get allocator(): PageAllocator {
    return this.#parts.assembly.allocator;
  }

  /** Device memory: mappings, and a way to wait for just some pages. */
  get devices(): Devices {
    return this.#parts.devices;
  }

  /**
   * Waits until all device memory of the map is initialised.
   * @returns what was initialised; empty on a machine without persistent memory
   */
  devicesReady(): Promise<readonly DeviceReport[]> {
    return this.#parts.devices.ready();
  }

  /** Log lines so far. */
  get log(): readonly string[] {
    return this.#parts.log.lines;
  }

  /**
   * Allocates `2 ** order` pages.
   * @returns the first page frame, `undefined` when no zone can serve it
   * @throws BootmemError ERR_BOOTMEM_CLOSED after closing
   */
  allocPages(order: number, options: AllocOptions = {}): number | undefined {
    this.#check();
    const pfn = this.allocator.allocPages(order, options);
    this.#sample(performance.now() - this.#parts.clock.start);
    return pfn;
  }

  /** Frees a block that {@link allocPages} gave. */
  freePages(pfn: number, order: number): void {
    this.#check();
    this.allocator.freePages(pfn, order);
  }

  /** The text of /proc/buddyinfo now. */
  buddyinfo(): string {
    return buddyinfoText(this.allocator);
  }

  /**
   * Everything in the stable JSON form.
   * @throws BootmemError ERR_BOOTMEM_CLOSED after closing
   */
  report(): BootReport {
    this.#check();
    return bootReport(this.#parts, this.#timeline);
  }

  /** Ends the threads and lets the shared memory go. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#parts.devices.ready().catch(() => undefined);
    await this.#parts.pass.close();
    this.allocator.close();
  }

  /** The same as {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #check(): void {
    if (this.#closed) {
      throw new BootmemError('ERR_BOOTMEM_CLOSED', 'the machine was closed');
    }
  }

  #sample(ms: number): void {
    const { acceptance } = this.#parts.assembly;
    if (acceptance === undefined) return;
    const units = acceptedUnits(acceptance);
    if (this.#timeline.at(-1)?.acceptedUnits === units) return;
    this.#timeline.push({ ms, acceptedUnits: units });
  }
}
