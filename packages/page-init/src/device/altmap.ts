/**
 * Memmap storage inside the device: arithmetic only. All values are pages.
 *
 *     base            base+reserve                 base+offset                     end
 *     |--- reserve ---|--- free (memmap storage) --|--- device pages --------------|
 *      never            reserved                     device pages
 *      initialised
 *
 * The memmap is taken from `free` in blocks; aligning a block to its size loses `align` pages.
 * Source: reference "Concepts"; layout arithmetic checked against recorded boots.
 */

/** Sizes as a driver gives them. */
export interface AltmapRequest {
  /** Pages at the front that the driver keeps. */
  readonly reserve: number;
  /** Pages after them for the memmap. */
  readonly free: number;
}

/** Memmap storage of one range. */
export class Altmap {
  readonly basePfn: number;
  readonly reserve: number;
  readonly free: number;
  /** Pages of `free` lost to alignment. */
  align = 0;
  /** Pages of `free` that hold memmap. */
  alloc = 0;

  /** @param request  as `checkRequest` lets it through: counts that fit into the range */
  constructor(basePfn: number, { reserve, free }: AltmapRequest) {
    this.basePfn = basePfn;
    this.reserve = reserve;
    this.free = free;
  }

  /** Pages before the first device page. */
  get offset(): number {
    return this.reserve + this.free;
  }

  /** Next page that a block would start at, before alignment. */
  get nextPfn(): number {
    return this.basePfn + this.reserve + this.alloc + this.align;
  }

  /** Gives pages back. Returns what is still handed out: 0 in the end, else memory was lost. */
  give(pages: number): number {
    this.alloc -= pages;
    if (this.alloc === 0) this.align = 0;
    return this.alloc;
  }

  /**
   * Stores the memmap of `pages` pages: a large block per section's worth, single pages where none fits. O(1): only the
   * first large block can lose pages to alignment.
   * @param descriptorBytes size of a page descriptor on the modelled machine
   * @returns pages taken, or undefined (nothing taken) when the storage is too small
   */
  populate(pages: number, descriptorBytes: number, pageBytes: number): number | undefined {
    const needed = Math.ceil((pages * descriptorBytes) / pageBytes);
    const block = 2 ** 21 / pageBytes;
    const end = this.basePfn + this.offset;
    const first = Math.ceil(this.nextPfn / block) * block;
    const fits = Math.max(0, Math.floor((end - first) / block));
    const large = block >= 1 ? Math.min(Math.floor(needed / block), fits) : 0;
    const lost = large > 0 ? first - this.nextPfn : 0;
    if (this.alloc + this.align + lost + needed > this.free) return undefined;
    this.align += lost;
    this.alloc += needed;
    return needed;
  }
}
