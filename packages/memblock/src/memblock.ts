/**
 * The whole object: region lists, questions, allocation, limits, hand-over and named reservations
 * (one layer a file), and on top of them its texts, its serialised state, bulk building and checks.
 *
 * ```
 *   Memblock            texts, state, bulk, verify
 *   MemblockNamed       reserve_mem=
 *   MemblockHandover    free_all, free_late, discard
 *   MemblockLimits      trim, mem=, memmap=
 *   MemblockAllocator   find, alloc*
 *   MemblockQueries     is*, search*, walks
 *   MemblockRegions     the lists, add / reserve / remove / free / mark / set node, array growth
 * ```
 */
import { packAttr } from './attributes.js';
import { cappedEnd } from './arithmetic.js';
import { NO_NODE, PHYS_ADDR_MAX } from './constants.js';
import { EntryBuffer } from './entry-buffer.js';
import { MemblockError } from './errors.js';
import { mergedUnion, sortedRanges } from './bulk.js';
import { MemblockNamed } from './memblock-named.js';
import type { RegionAttributes } from './memblock-regions.js';
import { checkBytes, checkFlags, checkNode, settingsOf } from './options.js';
import type { RegionList } from './region-list.js';
import { flagNames, hexAddress, hexNumber, hexRange } from './text-format.js';
import type { MemblockOptions, MemblockState, MemRegion, RegionType } from './types.js';
import { verifyList } from './verify.js';

/** Many ranges in columns, `[bases[k], bases[k] + sizes[k])`, in any order. */
export interface RangeColumns {
  readonly bases: ArrayLike<number>;
  readonly sizes: ArrayLike<number>;
}

const TYPES: readonly RegionType[] = ['memory', 'reserved', 'physmem'];

/**
 * The kernel's early memory allocator: three ordered lists of regions with flags and nodes, and
 * everything that is done with them before there is a page allocator.
 *
 * @example
 * ```ts
 * const memblock = new Memblock();
 * memblock.add(0x1000, 0x9e000);
 * memblock.reserve(0x1000, 0x1000);
 * memblock.alloc(4096); // 0x9e000: the highest page
 * ```
 * @kernel struct memblock
 */
export class Memblock extends MemblockNamed {
  /**
   * An object with a given state.
   * @throws MemblockError ERR_MEMBLOCK_FORMAT when regions overlap, are out of order or empty
   */
  static restore(state: MemblockState, options: MemblockOptions = {}): Memblock {
    settingsOf(options);
    const memblock = new Memblock({
      ...options,
      ...(state.direction === undefined ? {} : { direction: state.direction }),
      ...(state.currentLimit === undefined ? {} : { currentLimit: state.currentLimit }),
    });
    memblock.load(memblock.memory, state.memory, state.memoryTotal, state.memoryMax);
    memblock.load(memblock.reserved, state.reserved, state.reservedTotal, state.reservedMax);
    memblock.load(memblock.physmem, state.physmem ?? [], undefined, undefined);
    memblock.mirrorKnown = state.hasMirror ?? false;
    if (state.resizable !== undefined) memblock.resizable = state.resizable;
    for (const entry of state.named ?? []) memblock.named.push({ ...entry });
    memblock.unmerged = true;
    return memblock;
  }

  /** The state as plain data, from which {@link restore} makes an equal object. */
  toState(): MemblockState {
    return {
      memory: this.regions('memory'),
      reserved: this.regions('reserved'),
      physmem: this.regions('physmem'),
      memoryTotal: this.memory.total,
      reservedTotal: this.reserved.total,
      ...(Number.isFinite(this.memory.max) ? { memoryMax: this.memory.max } : {}),
      ...(Number.isFinite(this.reserved.max) ? { reservedMax: this.reserved.max } : {}),
      direction: this.direction,
      currentLimit: this.currentLimit,
      hasMirror: this.hasMirror,
      resizable: this.resizable,
      named: this.namedReservations(),
    };
  }

  /** The same as {@link toState}, so that `JSON.stringify` works. */
  toJSON(): MemblockState {
    return this.toState();
  }

  /** {@link add} for many ranges at once: the result is the same, the cost O(n log n) for all. */
  addMany(ranges: RangeColumns, attributes: RegionAttributes = {}): boolean {
    return this.editMany(this.memory, ranges, attributes, this.settings.maxNodes);
  }

  /** {@link reserve} for many ranges at once: the result is the same, the cost O(n log n) for all. */
  reserveMany(ranges: RangeColumns, attributes: RegionAttributes = {}): boolean {
    return this.editMany(this.reserved, ranges, attributes, this.plainReserveNode);
  }

  /** Writes "no node" over every region of both lists, as a kernel does before it reads the nodes. */
  resetNodes(): void {
    this.checkAlive();
    const { maxNodes, profile } = this.settings;
    const nid = profile.resetNode === 'none' ? NO_NODE : maxNodes;
    this.setNode(0, PHYS_ADDR_MAX, 'memory', nid);
    this.setNode(0, PHYS_ADDR_MAX, 'reserved', nid);
  }

  /** Checks every invariant. @throws MemblockError ERR_MEMBLOCK_INVARIANT. @remarks O(n) */
  verify(): void {
    this.checkAlive();
    for (const type of TYPES) {
      const problem = verifyList(this.listOf(type), this.settings, !this.unmerged);
      if (problem !== undefined) this.fail(`${type}: ${problem}`);
    }
  }

  /**
   * The configuration as the kernel prints it, ended by a newline.
   * @param physmem whether the third list is built in; default false
   * @kernel memblock_dump_all
   */
  dump(physmem = false): string {
    const lines = [
      'MEMBLOCK configuration:',
      ` memory size = ${hexAddress(this.memory.total)} reserved size = ${hexAddress(this.reserved.total)}`,
    ];
    const types: RegionType[] = physmem ? [...TYPES] : ['memory', 'reserved'];
    for (const type of types) this.dumpList(type, lines);
    return `${lines.join('\n')}\n`;
  }

  /** Prints the configuration, as a kernel with `memblock=debug` does after its early set-up. */
  printDump(physmem = false): void {
    this.print(this.dump(physmem), 'info');
  }

  /** Sends a text to the log as it is. */
  printText(text: string): void {
    this.print(text, 'info');
  }

  /** One list as the debug file shows it: index, range, node or `x`, flag names. @kernel memblock_debug_show */
  debugFile(type: RegionType): string {
    const { maxNodes, profile } = this.settings;
    const all = profile.debugFileFlags === 'all';
    return this.regions(type)
      .map(({ base, size, flags, nid }, index) => {
        const node = nid >= 0 && nid < maxNodes ? String(nid).padStart(4) : '   x';
        const range = `${hexAddress(base)}..${hexAddress(base + size - 1)}`;
        return `${String(index).padStart(4)}: ${range} ${node} ${flagNames(flags, all)}\n`;
      })
      .join('');
  }

  private dumpList(type: RegionType, lines: string[]): void {
    const { maxNodes, numa, profile } = this.settings;
    const regions: MemRegion[] = this.regions(type);
    if (regions.length === 0 && profile.emptyListHasEntry) {
      regions.push({ base: 0, size: 0, flags: 0, nid: maxNodes });
    }
    lines.push(` ${type}.cnt  = ${hexNumber(regions.length)}`);
    regions.forEach(({ base, size, flags, nid }, index) => {
      const node = numa && nid >= 0 && nid < maxNodes ? ` on node ${nid}` : '';
      lines.push(
        ` ${type}[${hexNumber(index)}]\t${hexRange(base, size)}, ${hexAddress(size)} bytes${node} flags: ${hexNumber(flags)}`,
      );
    });
  }

  private editMany(
    list: RegionList,
    ranges: RangeColumns,
    attributes: RegionAttributes,
    plainNid: number,
  ): boolean {
    const { maxNodes, numa, debug } = this.settings;
    const { nid = plainNid, flags = 0 } = attributes;
    checkNode(nid, maxNodes);
    checkFlags(flags);
    this.checkAlive();
    const { bases, sizes } = ranges;
    if (bases.length !== sizes.length) {
      throw new MemblockError(
        'ERR_MEMBLOCK_ARGUMENT',
        `as many sizes as bases are needed, got ${bases.length} bases and ${sizes.length} sizes`,
      );
    }
    for (let k = 0; k < bases.length; k++) {
      checkBytes(bases[k]!, 'base');
      checkBytes(sizes[k]!, 'size');
    }
    if (debug || Number.isFinite(list.max) || this.unmerged || list.drift !== 0) {
      // A simulated array grows at a point of its own; each range must be seen.
      for (let k = 0; k < bases.length; k++) {
        const done =
          list === this.memory
            ? this.add(bases[k]!, sizes[k]!, { nid, flags })
            : this.reserve(bases[k]!, sizes[k]!, { nid, flags });
        if (!done) return false;
      }
      return true;
    }
    const attr = packAttr(flags, numa ? nid : 0);
    const union = mergedUnion(list, sortedRanges(bases, sizes), attr);
    list.replaceAll(union.entries);
    list.total += union.added;
    return true;
  }

  private load(
    list: RegionList,
    regions: readonly MemRegion[],
    total: number | undefined,
    max: number | undefined,
  ): void {
    const { maxNodes, numa } = this.settings;
    const entries = new EntryBuffer();
    let last = 0;
    let sum = 0;
    regions.forEach(({ base, size, flags, nid }, index) => {
      checkBytes(base, 'base');
      checkBytes(size, 'size');
      checkFlags(flags);
      checkNode(nid, maxNodes);
      const end = cappedEnd(base, size);
      if (size === 0 || base < last || end - base !== size) {
        throw new MemblockError(
          'ERR_MEMBLOCK_FORMAT',
          `${list.name}[${index}] ${hexRange(base, size)} is empty, out of order, overlapping or beyond the top`,
          { type: list.name, index },
        );
      }
      entries.push(base, end, packAttr(flags, numa ? nid : 0));
      last = end;
      sum += size;
    });
    list.replaceAll(entries);
    if (total !== undefined) checkBytes(total, 'total');
    list.total = total ?? sum;
    list.drift = list.total - sum;
    if (max !== undefined && Number.isFinite(list.max)) list.max = max;
    if (list.count > list.max) list.max = list.count;
  }
}
