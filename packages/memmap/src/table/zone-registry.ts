/**
 * Zone ids: the byte that a page records, and the (node, zone) that it names. Defined by the thread that
 * sets the machine up, before pages of the zone are initialised; read by all.
 */
import { MemmapError } from '../facts/errors.js';
import { MAX_ZONE_ID, Word } from './layout.js';
import { MAX_NODES } from '../facts/units.js';

/** Zone numbers of a node; those without a name are free for a user's own meaning. */
const ZONES_PER_NODE = 16;

/** The zone that an id names. */
export interface NodeZone {
  readonly nid: number;
  readonly zoneIndex: number;
}

/** Registry of zone ids over the table words of a map. */
export class ZoneRegistry {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Number of zones defined; ids are 1 .. count. */
  get count(): number {
    return this.#words[Word.ZONES]!;
  }

  /**
   * Id of a zone, new or as given before. Call from one thread.
   * @throws ERR_MEMMAP_ARGUMENT for a node or zone out of range, ERR_MEMMAP_ZONES when 255 are in use
   */
  define(nid: number, zoneIndex: number): number {
    const nidOk = Number.isInteger(nid) && nid >= 0 && nid < MAX_NODES;
    const zoneOk = Number.isInteger(zoneIndex) && zoneIndex >= 0 && zoneIndex < ZONES_PER_NODE;
    if (!nidOk || !zoneOk) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', `no zone ${zoneIndex} of node ${nid}`, {
        nid,
        zoneIndex,
      });
    }
    const known = this.idOf(nid, zoneIndex);
    if (known !== undefined) return known;
    const id = this.count + 1;
    if (id > MAX_ZONE_ID) {
      throw new MemmapError('ERR_MEMMAP_ZONES', `all ${MAX_ZONE_ID} zone ids are in use`, { nid });
    }
    this.#words[Word.ZONE_TABLE + id] = 1 + nid * ZONES_PER_NODE + zoneIndex;
    this.#words[Word.ZONES] = id;
    return id;
  }

  /** Id of a defined zone, or undefined. */
  idOf(nid: number, zoneIndex: number): number | undefined {
    const value = 1 + nid * ZONES_PER_NODE + zoneIndex;
    for (let id = 1; id <= this.count; id++) {
      if (this.#words[Word.ZONE_TABLE + id] === value) return id;
    }
    return undefined;
  }

  /** True for an id that was given out. Never allocates. */
  has(zoneId: number): boolean {
    return zoneId >= 1 && zoneId <= this.count;
  }

  /** Zone that an id names, or undefined. */
  info(zoneId: number): NodeZone | undefined {
    if (!(zoneId >= 1 && zoneId <= this.count)) return undefined;
    const value = this.#words[Word.ZONE_TABLE + zoneId]! - 1;
    return { nid: Math.floor(value / ZONES_PER_NODE), zoneIndex: value % ZONES_PER_NODE };
  }
}
