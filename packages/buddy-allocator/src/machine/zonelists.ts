/**
 * In which order an allocator's requests go through its zones, found when a node is first asked for.
 *
 *     node 3 asked ─▶ orders of the nodes up to 3, as each one's depends on those before ─▶ the list of 3
 *
 * A machine of many nodes pays for those that it allocates on: 255 lists of 255 zones are made for nobody at `create` and
 * again at each `attach`. Which nodes have memory is looked at when the lists are built, not later.
 */
import { ZONE_INDEX_BY_NAME } from '@bootmem/memmap';

import { Zone } from '../base/control-layout.js';
import { eachNodeOrder, type NumaTopology } from '../layout/zonelist.js';
import type { NamedZone } from './allocator-types.js';

/** Lists of zones, by node. */
export class Zonelists {
  readonly #topology: NumaTopology;
  /** Positions of a node's zones, the highest first. */
  readonly #own: ReadonlyMap<number, readonly number[]>;
  readonly #lists = new Map<number, number[]>();
  #orders: Iterator<readonly [number, number[]]>;

  constructor(zones: readonly NamedZone[], distance: (from: number, to: number) => number) {
    const nids = [...new Set(zones.map((zone) => zone.nid))].sort((a, b) => a - b);
    const present = zones.filter(({ core }) => core.get(Zone.PRESENT) > 0);
    const withMemory = new Set(present.map(({ nid }) => nid));
    const own = new Map<number, number[]>(nids.map((nid) => [nid, []]));
    zones.forEach(({ nid, zone }, i) => {
      if (zone !== 'Device') own.get(nid)!.push(i);
    });
    const index = (i: number): number => ZONE_INDEX_BY_NAME[zones[i]!.zone];
    for (const list of own.values()) list.sort((a, b) => index(b) - index(a));
    this.#own = own;
    this.#topology = {
      nids,
      distance,
      hasMemory: (nid) => withMemory.has(nid),
      hasCpus: () => true,
    };
    this.#orders = eachNodeOrder(this.#topology);
  }

  /**
   * Positions of the zones that a request of the node asks, best first; undefined for a node without zones.
   * @throws what `distance` throws; the next call begins anew
   */
  of(nid: number): readonly number[] | undefined {
    const known = this.#lists.get(nid);
    if (known !== undefined || !this.#own.has(nid)) return known;
    try {
      while (!this.#lists.has(nid)) this.#next();
    } catch (error) {
      this.#lists.clear();
      this.#orders = eachNodeOrder(this.#topology);
      throw error;
    }
    return this.#lists.get(nid);
  }

  #next(): void {
    const { value } = this.#orders.next() as { value: readonly [number, number[]] };
    const [nid, order] = value;
    this.#lists.set(
      nid,
      order.flatMap((node) => this.#own.get(node)!),
    );
  }
}
