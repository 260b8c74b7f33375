/**
 * Ordinary memory added while the machine runs: a range gets descriptors when it is added, but they stay
 * untouched until a block of it is brought online into a zone; offlining and removing go back.
 *
 *     add: sections present, descriptors uninitialised
 *       | online(zone): pages initialised, pageblocks movable, free pages handed over
 *       | offline: pages marked offline       (the caller took them out of the allocator first)
 *     remove: sections absent
 *
 * With "memmap on memory" the first pages of each block hold the descriptors of the block: they are never
 * handed over and their pageblock stays unmovable. Source: Documentation/admin-guide/mm/memory-hotplug.rst.
 */
import { type Memmap, PageState, SectionFlag, type PfnRange } from '@bootmem/memmap';
import { checkUntouched, initMemory } from '../core/fill.js';
import type { SubsectionMap } from './subsections.js';
import { KERNEL_DESCRIPTOR_BYTES } from '../base/constants.js';
import { PageInitError } from '../base/errors.js';
import { type HotplugLock, UNCONTENDED } from './hotplug-lock.js';
import type { PageSink } from '../base/types.js';
import { checkFields } from '../base/check.js';

/** A block that was added. */
interface Block extends PfnRange {
  readonly nid: number;
  readonly memmapPages: number;
  online: number | undefined;
}

/** Options of {@link MemoryHotplug}. */
export interface MemoryHotplugOptions {
  readonly memmap: Memmap;
  readonly subsections: SubsectionMap;
  readonly lock?: HotplugLock;
  /** Pages per memory block, a multiple of a section. Default one section. */
  readonly blockPages?: number;
  /**
   * Whether a block can hold its own memmap: `single` (to 6.5) only when the added range is one block,
   * `each` for every block.
   */
  readonly memmapOnMemory?: 'off' | 'single' | 'each';
  /** Bytes of a descriptor on the modelled machine; default 64. */
  readonly descriptorBytes?: number;
}

/** Adds, onlines, offlines and removes blocks of memory. Belongs to one controlling thread. */
export class MemoryHotplug {
  readonly blockPages: number;
  readonly #memmap: Memmap;
  readonly #subsections: SubsectionMap;
  readonly #lock: HotplugLock;
  readonly #mode: 'off' | 'single' | 'each';
  readonly #descriptorBytes: number;
  readonly #blocks = new Map<number, Block>();

  /** @throws ERR_PAGE_INIT_ARGUMENT for options without memmap or subsections, or a block that is no whole sections */
  constructor(options: MemoryHotplugOptions) {
    checkFields('options', options, { memmap: 'object', subsections: 'object' });
    this.#memmap = options.memmap;
    this.#subsections = options.subsections;
    this.#lock = options.lock ?? UNCONTENDED;
    this.blockPages = options.blockPages ?? options.memmap.pagesPerSection;
    this.#mode = options.memmapOnMemory ?? 'off';
    this.#descriptorBytes = options.descriptorBytes ?? KERNEL_DESCRIPTOR_BYTES;
    if (this.blockPages % this.#memmap.pagesPerSection !== 0) {
      throw new PageInitError('ERR_PAGE_INIT_ARGUMENT', 'a block is whole sections', {
        blockPages: this.blockPages,
      });
    }
  }

  /**
   * Adds a range of whole blocks; nothing is initialised.
   * @throws ERR_DEVICE_MISALIGNED when it is not whole blocks, ERR_DEVICE_ARGUMENT when it lies outside the memmap,
   *   ERR_DEVICE_PRESENT when a part is there
   * @kernel add_memory_resource
   */
  add({ startPfn, endPfn }: PfnRange, nid: number): void {
    const size = this.blockPages;
    if (startPfn % size !== 0 || endPfn % size !== 0 || startPfn >= endPfn) {
      const page = 2 ** this.#memmap.geometry.pageShift;
      throw new PageInitError(
        'ERR_DEVICE_MISALIGNED',
        `Block size [0x${(size * page).toString(16)}] unaligned hotplug range: start ` +
          `0x${(startPfn * page).toString(16)}, size 0x${((endPfn - startPfn) * page).toString(16)}`,
        { startPfn, endPfn, blockPages: size, errno: 'EINVAL' },
      );
    }
    this.#subsections.checkInside({ startPfn, endPfn });
    const single = endPfn - startPfn === size;
    const inside = this.#mode === 'each' || (this.#mode === 'single' && single);
    const page = 2 ** this.#memmap.geometry.pageShift;
    const memmapPages = inside ? Math.ceil((size * this.#descriptorBytes) / page) : 0;
    this.#lock.withLock(() => {
      this.#subsections.activate({ startPfn, endPfn });
    });
    try {
      // The range is this one's now: work by section needs no lock.
      this.#memmap.addMemory(startPfn, endPfn);
    } catch (error) {
      this.#lock.withLock(() => {
        this.#subsections.deactivate({ startPfn, endPfn });
      });
      throw error;
    }
    for (let at = startPfn; at < endPfn; at += size) {
      this.#blocks.set(at, {
        startPfn: at,
        endPfn: at + size,
        nid,
        memmapPages,
        online: undefined,
      });
    }
  }

  /**
   * Brings a block online into a zone of its node.
   * @returns pages handed over: all but those that hold the block's memmap
   * @throws ERR_DEVICE_STATE when the block was not added or is online
   * @kernel online_pages
   */
  online(startPfn: number, zoneIndex: number, sink: PageSink): number {
    const block = this.#block(startPfn, false);
    const { endPfn, memmapPages } = block;
    const zoneId = this.#memmap.defineZone(block.nid, zoneIndex);
    const first = startPfn + memmapPages;
    if (memmapPages > 0) this.#memmap.initReservedRange(startPfn, first, zoneId);
    checkUntouched(this.#memmap, first, endPfn);
    initMemory(this.#memmap, first, endPfn, zoneId);
    this.#lock.withLock(() => {
      const size = this.#memmap.pagesPerSection;
      for (let at = startPfn; at < endPfn; at += size) {
        this.#memmap.setSectionFlags(this.#memmap.sectionOf(at), SectionFlag.ONLINE, true);
        sink.freeBlocks(Math.max(at, first), at + size);
      }
    });
    block.online = zoneId;
    return endPfn - first;
  }

  /**
   * Takes a block offline: its descriptors are uninitialised again.
   * @throws ERR_DEVICE_STATE when it is not online, or a page is still with the allocator or its users
   * @kernel offline_pages
   */
  offline(startPfn: number): void {
    const block = this.#block(startPfn, true);
    const { endPfn, memmapPages } = block;
    const first = startPfn + memmapPages;
    const gone = this.#memmap.countInState(first, endPfn, PageState.OFFLINE);
    if (gone !== endPfn - first) {
      throw new PageInitError('ERR_DEVICE_STATE', 'pages of the block are still in use', {
        startPfn,
        inUse: endPfn - first - gone,
      });
    }
    this.#memmap.clearRange(startPfn, endPfn);
    this.#lock.withLock(() => {
      const size = this.#memmap.pagesPerSection;
      for (let at = startPfn; at < endPfn; at += size) {
        this.#memmap.setSectionFlags(this.#memmap.sectionOf(at), SectionFlag.ONLINE, false);
      }
    });
    block.online = undefined;
  }

  /** Removes an offline block. @throws ERR_DEVICE_STATE when it is online @kernel remove_memory */
  remove(startPfn: number): void {
    const block = this.#block(startPfn, false);
    this.#memmap.removeMemory(block.startPfn, block.endPfn);
    this.#lock.withLock(() => {
      this.#subsections.deactivate(block);
    });
    this.#blocks.delete(startPfn);
  }

  #block(startPfn: number, online: boolean): Block {
    const block = this.#blocks.get(startPfn);
    if (block !== undefined && (block.online !== undefined) === online) return block;
    throw new PageInitError(
      'ERR_DEVICE_STATE',
      block === undefined
        ? 'no block was added there'
        : `the block is ${online ? 'offline' : 'online'}`,
      { startPfn },
    );
  }
}
