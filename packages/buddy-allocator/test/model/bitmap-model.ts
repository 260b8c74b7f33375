/**
 * Naive allocator to compare with: one owner id per page, nothing else. It does not choose places; it
 * judges those that the allocator under test chose.
 */

/** Which block owns each page; 0 for free. */
export class BitmapModel {
  readonly owner: Int32Array;
  readonly blocks = new Map<number, { pfn: number; pages: number }>();
  #next = 1;

  constructor(pages: number) {
    this.owner = new Int32Array(pages);
  }

  /** Free pages. */
  get free(): number {
    return this.owner.reduce((n, o) => n + (o === 0 ? 1 : 0), 0);
  }

  /** Notes an allocation. @returns id @throws when a page is outside or taken */
  take(pfn: number, pages: number): number {
    if (pfn < 0 || pfn + pages > this.owner.length) throw new Error(`${pfn} is outside`);
    for (let p = pfn; p < pfn + pages; p++) {
      if (this.owner[p] !== 0) throw new Error(`page ${p} was handed out twice`);
    }
    const id = this.#next++;
    this.owner.fill(id, pfn, pfn + pages);
    this.blocks.set(id, { pfn, pages });
    return id;
  }

  /** Notes a free. */
  give(id: number): { pfn: number; pages: number } {
    const block = this.blocks.get(id)!;
    this.owner.fill(0, block.pfn, block.pfn + block.pages);
    this.blocks.delete(id);
    return block;
  }

  /** True when some aligned run of the size is free. */
  hasAligned(order: number): boolean {
    const pages = 2 ** order;
    for (let p = 0; p + pages <= this.owner.length; p += pages) {
      if (this.owner.subarray(p, p + pages).every((o) => o === 0)) return true;
    }
    return false;
  }
}
