/**
 * Device memory: gives ranges of a device page descriptors (`memremapPages`), and takes them away.
 *
 *     check - index - attributes - [hotplug lock: mapping, subsections, zone] - sections - altmap - pages - refs
 *        |      |         |              |                                       |          |      |
 *        '------'---------'--------------'-- undone in reverse at the first failure --------'------'
 *
 * The lock is held for what costs time by the number of ranges: who owns which subsections, the zone's span, and what
 * the backend does. The owner then works by section (their presence) and by page (descriptors of device pages and of
 * those that hold the memmap) outside it, in the foreground, or in the background with `sync` for whoever cannot wait.
 * The index entry exists before the pages are ready, so a look-up answers only for pages that are. Taking away goes
 * back the same way: sections read as absent first, then the subsections are given up under the lock.
 *
 * Locks: the hotplug lock only. Everything here runs on one controlling thread; page work may run on any.
 * Source: reference "Mapping flow", "Asynchronous + multithreaded design"; device-dax and pmem docs.
 */
import { type Memmap, type PfnRange, SectionFlag, ZoneIndex } from '@bootmem/memmap';
import { KERNEL_DESCRIPTOR_BYTES } from '../base/constants.js';
import { PageInitError } from '../base/errors.js';
import type { RangeJobRunner } from '../base/types.js';
import { type HotplugLock, UNCONTENDED } from '../hotplug/hotplug-lock.js';
import { SubsectionMap } from '../hotplug/subsections.js';
import { type PageInitProfile, profileForRelease } from '../profiles.js';
import type { ClaimOwner } from '../core/claims.js';
import { createInlineRunner, yieldToEvents } from '../core/runner.js';
import { Altmap } from './altmap.js';
import { checkBackground, checkRequest } from './checks.js';
import { DeviceInit } from './init.js';
import { DeviceMapping, type MappedRange } from './mapping.js';
import { RangeStages } from './range-stages.js';
import { overlapOf, RangeRegistry } from './registry.js';
import type { DeviceBackend, LogLine, PagemapRequest } from './types.js';
import type { UndoList } from './undo-list.js';
import { checkFields } from '../base/check.js';

/** Cap of a device's background job: hot-add happens on a busy machine. */
const DEFAULT_DEVICE_THREADS = 4;

/** How background initialisation is run. */
export interface BackgroundOptions {
  /**
   * Runner for the mapping's jobs; a job's `start` tells its range (`mapping.handleFor`). Default: this
   * thread, a unit at a time, between other events.
   */
  readonly runner?: (mapping: DeviceMapping) => RangeJobRunner;
  /** Participants at most; default 4. */
  readonly maxThreads?: number;
}

/** Memmap pages of a compound page that are its own when the rest is shared. */
const UNIQUE_MEMMAP_PAGES = 2;

/** Options of {@link DeviceMemory}. */
export interface DeviceMemoryOptions {
  readonly memmap: Memmap;
  /** Memory that the machine booted with. */
  readonly memory: readonly PfnRange[];
  readonly profile?: PageInitProfile;
  readonly lock?: HotplugLock;
  readonly backend?: DeviceBackend;
  readonly onLog?: (line: LogLine) => void;
  /** This thread, and how it learns that a helper died over pages somebody waits for. */
  readonly owner?: ClaimOwner;
  /** Bytes of a page descriptor on the modelled machine; default 64. Sizes altmap and sharing. */
  readonly descriptorBytes?: number;
  /** Whether tail descriptors of compound pages can share one copy; default true. */
  readonly sharedTails?: boolean;
}

/** All device mappings of a machine. */
export class DeviceMemory {
  readonly subsections: SubsectionMap;
  readonly #memmap: Memmap;
  readonly #memory: readonly PfnRange[];
  readonly #profile: PageInitProfile;
  readonly #backend: DeviceBackend;
  readonly #onLog: (line: LogLine) => void;
  readonly #owner: ClaimOwner | undefined;
  readonly #descriptorBytes: number;
  readonly #sharedTails: boolean;
  readonly #stages: RangeStages;
  readonly #index = new RangeRegistry<DeviceMapping>();
  readonly #undo = new Map<MappedRange, UndoList>();
  readonly #zones = new Map<number, PfnRange>();
  #nextIndex = 1;

  /** @throws ERR_DEVICE_ARGUMENT for options without memmap or memory */
  constructor(options: DeviceMemoryOptions) {
    checkFields('options', options, { memmap: 'object', memory: 'array' }, 'ERR_DEVICE_ARGUMENT');
    this.#memmap = options.memmap;
    this.#memory = options.memory;
    this.#profile = options.profile ?? profileForRelease();
    this.#backend = options.backend ?? {};
    this.#onLog = options.onLog ?? ((): void => undefined);
    this.#owner = options.owner;
    this.#descriptorBytes = options.descriptorBytes ?? KERNEL_DESCRIPTOR_BYTES;
    this.#sharedTails = options.sharedTails ?? true;
    this.subsections = new SubsectionMap(options.memmap, options.memory);
    this.#stages = new RangeStages({
      memmap: options.memmap,
      subsections: this.subsections,
      index: this.#index,
      lock: options.lock ?? UNCONTENDED,
      backend: this.#backend,
      onLog: this.#onLog,
      descriptorBytes: this.#descriptorBytes,
    });
  }

  /** Number of ranges in the index. */
  get mappedRanges(): number {
    return this.#index.size;
  }

  /** Span of ZONE_DEVICE on a node, or undefined; it grows and never shrinks. */
  zoneSpan(nid: number): PfnRange | undefined {
    return this.#zones.get(nid);
  }

  /**
   * Maps device memory and initialises all its pages before it returns.
   * @throws ERR_DEVICE_ARGUMENT | ERR_DEVICE_MISALIGNED (EINVAL), ERR_DEVICE_CONFLICT (ENOMEM),
   *   ERR_DEVICE_RAM (ENXIO), ERR_DEVICE_PRESENT (EEXIST), or what the backend threw; nothing is left behind
   * @kernel memremap_pages
   */
  memremapPages(request: PagemapRequest): DeviceMapping {
    const mapping = this.#prepare(request);
    try {
      for (const range of mapping.ranges) {
        const started = performance.now();
        range.init.initChunk(range.init.startPfn, range.endPfn);
        this.#logRange(mapping, range, performance.now() - started);
      }
    } catch (error) {
      this.#unwindAll(mapping);
      throw error;
    }
    return mapping;
  }

  /**
   * As {@link memremapPages}, but pages are initialised in the background: use `mapping.sync` before a
   * page is used, `mapping.ready` to wait for all.
   * @throws as memremapPages, for everything up to the pages themselves, and what `options.runner` threw
   */
  memremapPagesAsync(request: PagemapRequest, options: BackgroundOptions = {}): DeviceMapping {
    checkBackground(options);
    const mapping = this.#prepare(request);
    const byStart = (start: number): MappedRange | undefined =>
      mapping.ranges.find((range) => range.startPfn <= start && start < range.endPfn);
    const inline = createInlineRunner((start, end) => byStart(start)?.init.initChunk(start, end));
    let runner: RangeJobRunner;
    try {
      runner = options.runner?.(mapping) ?? {
        // The caller goes on first.
        run: (job) => yieldToEvents().then(() => inline.run(job)),
      };
      checkFields('runner', runner, { run: 'function' }, 'ERR_DEVICE_ARGUMENT');
    } catch (error) {
      this.#unwindAll(mapping);
      throw error;
    }
    const maxThreads = options.maxThreads ?? DEFAULT_DEVICE_THREADS;
    mapping.ready = this.#runBackground(mapping, runner, maxThreads);
    // Whoever only uses `sync` never looks at `ready`; its failure is theirs to see in `sync`.
    mapping.ready.catch(() => undefined);
    return mapping;
  }

  /**
   * Takes a mapping away: no new references, background work cancelled, users waited for, ranges removed.
   * @throws ERR_DEVICE_STATE when it is being released already, ERR_DEVICE_ARGUMENT for what is no mapping; what the
   *   backend threw, after all of it was taken away
   * @kernel memunmap_pages
   */
  async release(mapping: DeviceMapping): Promise<void> {
    checkFields('mapping', mapping, { references: 'object' }, 'ERR_DEVICE_ARGUMENT');
    if (!mapping.references.live) {
      throw new PageInitError('ERR_DEVICE_STATE', 'the mapping is released already', {
        name: mapping.request.name,
      });
    }
    mapping.references.kill();
    for (const range of mapping.ranges) await range.init.cancel();
    await mapping.ready.catch(() => undefined);
    const bulk = mapping.bulkReferences;
    if (bulk > 0) mapping.references.put(bulk);
    await mapping.references.whenZero();
    const [error] = this.#unwindAll(mapping);
    if (error !== undefined) throw error as Error;
  }

  /**
   * Mapping of a device page, with a reference that the caller must put back; undefined when there is
   * none, when the page is not ready yet, or when the mapping is going away.
   * @kernel get_dev_pagemap
   */
  lookup(pfn: number): DeviceMapping | undefined {
    const mapping = this.#index.find(pfn)?.value;
    return mapping?.isReady(pfn) === true && mapping.references.tryGet() ? mapping : undefined;
  }

  /** As {@link lookup}, after making the page ready. */
  async resolve(pfn: number): Promise<DeviceMapping | undefined> {
    const mapping = this.#index.find(pfn)?.value;
    if (mapping?.references.live !== true) return undefined;
    await mapping.sync(pfn);
    return this.lookup(pfn);
  }

  /**
   * True for a page of online RAM: in a section that RAM and a device share, device pages do not count.
   * @kernel pfn_to_online_page
   */
  isOnlinePage(pfn: number): boolean {
    const flags = this.#memmap.sectionFlags(this.#memmap.sectionOf(pfn));
    if ((flags & (SectionFlag.ONLINE | SectionFlag.EARLY)) === 0) return false;
    if (!this.subsections.isValid(pfn)) return false;
    return (flags & SectionFlag.DEVICE) === 0 || this.#index.find(pfn) === undefined;
  }

  #prepare(request: PagemapRequest): DeviceMapping {
    checkRequest(request);
    for (const range of request.ranges) this.subsections.checkInside(range);
    const first = request.ranges[0]!;
    const nid = request.nid ?? this.#backend.localNid?.(first.startPfn) ?? 0;
    const shared = this.#sharedTails && request.altmap === undefined && this.#noneEarly(request);
    const pageBytes = 2 ** this.#memmap.geometry.pageShift;
    const unique = shared ? UNIQUE_MEMMAP_PAGES * Math.floor(pageBytes / this.#descriptorBytes) : 0;
    const uniquePages = unique < 2 ** (request.vmemmapShift ?? 0) ? unique : 0;
    const mapping = new DeviceMapping(request, {
      nid,
      index: this.#nextIndex++,
      memmap: this.#memmap,
      uniquePages,
    });
    try {
      for (const range of request.ranges) this.#addRange(mapping, range, uniquePages);
    } catch (error) {
      this.#unwindAll(mapping);
      throw error;
    }
    mapping.references.tryGet(mapping.bulkReferences);
    return mapping;
  }

  /** Compound pages in sections of boot memory have all their descriptors: nothing is shared there. */
  #noneEarly(request: PagemapRequest): boolean {
    return request.ranges.every((range) =>
      this.subsections.parts(range).every((part) => !part.early),
    );
  }

  #addRange(mapping: DeviceMapping, span: PfnRange, uniquePages: number): void {
    const { request, nid } = mapping;
    const { startPfn, endPfn } = span;
    const other = this.#index.overlapping(span);
    if (other === undefined && overlapOf(span, this.#memory) !== 'none') {
      throw new PageInitError('ERR_DEVICE_RAM', 'the range overlaps System RAM', {
        startPfn,
        endPfn,
        overlap: overlapOf(span, this.#memory),
        errno: 'ENXIO',
      });
    }
    this.subsections.checkAligned(span, '__add_pages');
    const zoneId = this.#memmap.defineZone(nid, ZoneIndex.DEVICE);
    const altmap = request.altmap === undefined ? undefined : new Altmap(startPfn, request.altmap);
    const firstPfn = startPfn + (altmap?.offset ?? 0);
    const undo = this.#stages.add(mapping, span, altmap, () => {
      this.#growZone(nid, span);
    });
    try {
      const idle = this.#profile.idleTypes.includes(request.type);
      const init = DeviceInit.create({
        startPfn: startPfn + (altmap?.reserve ?? 0),
        firstPfn,
        endPfn,
        zoneId,
        pgmapIndex: mapping.index,
        idle,
        vmemmapShift: mapping.vmemmapShift,
        uniquePages,
        memmap: this.#memmap,
        owner: this.#owner,
      });
      const range: MappedRange = { startPfn, endPfn, altmap, firstPfn, init };
      this.#undo.set(range, undo);
      mapping.addRange(range);
    } catch (error) {
      undo.unwind();
      throw error;
    }
  }

  #growZone(nid: number, { startPfn, endPfn }: PfnRange): void {
    const known = this.#zones.get(nid);
    this.#zones.set(nid, {
      startPfn: Math.min(startPfn, known?.startPfn ?? startPfn),
      endPfn: Math.max(endPfn, known?.endPfn ?? endPfn),
    });
  }

  async #runBackground(
    mapping: DeviceMapping,
    runner: RangeJobRunner,
    maxThreads: number,
  ): Promise<void> {
    await Promise.all(
      mapping.ranges.map(async (range) => {
        const started = performance.now();
        const align = range.init.unitPages;
        const { startPfn: start, endPfn } = range.init;
        const job = { nid: mapping.nid, start, size: endPfn - start };
        if (job.size > 0) await runner.run({ ...job, align, minChunk: align, maxThreads });
        if (job.size > 0) await range.init.syncAll();
        this.#logRange(mapping, range, performance.now() - started);
      }),
    );
  }

  #logRange(mapping: DeviceMapping, range: MappedRange, ms: number): void {
    const pages = range.endPfn - range.firstPfn;
    const text = this.#profile.deviceLine(mapping.request.name, pages, Math.round(ms));
    this.#onLog({ level: this.#profile.deviceLineLevel, text });
  }

  /** @returns what went wrong on the way; nothing is left in any case */
  #unwindAll(mapping: DeviceMapping): unknown[] {
    const errors: unknown[] = [];
    for (const range of [...mapping.ranges].reverse()) {
      errors.push(...(this.#undo.get(range)?.unwind() ?? []));
      this.#undo.delete(range);
      mapping.removeRange(range);
    }
    return errors;
  }
}
