/**
 * What a pool tells of itself, and the marks at which it speaks up: numbers, texts, a walk over all blocks, events. Nothing
 * here takes or frees a block.
 */
import { Header, Zone, ZoneFlag } from '../base/control-layout.js';
import { checkFunction, checkInteger, checkObject, checkOrder } from '../base/check.js';
import { Attachment } from '../zone/attachment.js';
import type { BuddyZone } from '../zone/zone.js';
import { formatBuddyinfo } from '../reports/buddyinfo.js';
import { unusableIndex } from '../reports/fragmentation.js';
import { watchWord } from '../base/watch-word.js';
import { type BlockVisitor, statsOf, walkBlocks } from './pool-inspect.js';
import { countOwners } from './owners.js';
import type { AllocatorStats, OwnedBlocks, PoolWatermarks } from './pool-types.js';

const MOST = 2 ** 31 - 1;

/** A pool, as it is looked at. */
export abstract class ObservedPool extends Attachment {
  /** The zone that all pages are in. */
  abstract readonly zone: BuddyZone;
  /** log2 of the largest block in pages. */
  abstract readonly maxOrder: number;

  /** Numbers, read without a lock: each is exact, together they may be of different moments. */
  stats(): AllocatorStats {
    this.refuseClosed();
    return statsOf(this.zone, this.zone.words);
  }

  /** Share of the free pages that cannot serve a block of `order`, 0 .. 1. */
  fragmentation(order: number): number {
    this.refuseClosed();
    checkOrder(order, this.maxOrder);
    return unusableIndex(this.zone.freeBlocks(), order) / 1000;
  }

  /** Free blocks per order in the form of /proc/buddyinfo. */
  dump(): string {
    this.refuseClosed();
    return formatBuddyinfo([{ nid: 0, zone: 'Normal', free: this.zone.freeBlocks() }]);
  }

  /** Calls back for every block, in order of pages. */
  walk(visit: BlockVisitor): void {
    this.refuseClosed();
    checkFunction(visit, 'visit');
    walkBlocks(this.zone, visit);
  }

  /** What each owner has, by owner; without the option `owners` all is nobody's, 0. O(blocks). */
  owners(): OwnedBlocks[] {
    this.checkOpen();
    return countOwners(this.zone);
  }

  /** Sets the marks. @throws ERR_BUDDY_ARGUMENT unless 0 <= min <= low <= high, whole pages below 2^31 */
  setWatermarks(marks: PoolWatermarks): void {
    this.checkOpen();
    checkObject(marks, 'marks');
    const { min, low, high } = marks;
    checkInteger(min, 'min', 0, MOST);
    checkInteger(low, 'low', min, MOST);
    checkInteger(high, 'high', low, MOST);
    const { words: w, at: z } = this.zone;
    this.zone.locked(() => {
      w[z + Zone.MARK_MIN] = min;
      w[z + Zone.MARK_LOW] = low;
      w[z + Zone.MARK_HIGH] = high;
      w[z + Zone.MARK_PROMO] = high;
      w[z + Zone.FLAGS] = w[z + Zone.FLAGS]! & ~ZoneFlag.BELOW_HIGH;
    });
  }

  /** Calls back after each fall below the low mark, whichever thread caused it. @returns stop function */
  onLow(callback: () => void): () => void {
    this.checkOpen();
    checkFunction(callback, 'callback');
    return watchWord(this.zone.words, Header.EVENTS, callback);
  }
}
