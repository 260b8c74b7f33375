/**
 * Which address belongs to which node, from the lines of an x86 boot log.
 *
 * The firmware's table (SRAT) lists ranges; the kernel cuts them to the memory there is, drops those
 * without any, and joins ranges of one node that no other node lies between. Without a table, or when
 * it covers too little, one node is faked; `numa=fake=` splits memory and names the pieces.
 */
import type { Memblock } from '../memblock.js';
import { wordOf } from './read-dump.js';

/** A range of a node, `[start, end)` in bytes. */
export interface NumaBlock {
  readonly start: number;
  readonly end: number;
  readonly nid: number;
}

/** Collects what a log says about nodes. */
export class NumaLines {
  /** Ranges that the firmware calls removable. */
  readonly hotplug: { readonly start: number; readonly end: number }[] = [];
  private firmware: NumaBlock[] = [];
  private readonly emulated: NumaBlock[] = [];

  /**
   * Takes a stripped line.
   * @returns whether the line shows that the kernel is setting its nodes up
   */
  feed(text: string): boolean {
    const range = /^ACPI: SRAT: Node (\d+) PXM \d+ \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\](.*)$/.exec(
      text,
    );
    if (range !== null) {
      const start = wordOf(range[2]!, text);
      const end = wordOf(range[3]!, text) + 1;
      this.firmware.push({ start, end, nid: Number(range[1]) });
      if (range[4]!.includes('hotplug')) this.hotplug.push({ start, end });
      return true;
    }
    const fake = /^Faking node (\d+) at \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]/.exec(text);
    if (fake !== null) {
      this.emulated.push({
        start: wordOf(fake[2]!, text),
        end: wordOf(fake[3]!, text) + 1,
        nid: Number(fake[1]),
      });
      return true;
    }
    if (/^(?:NUMA: nodes only cover|No NUMA configuration found|NUMA turned off)/.test(text)) {
      this.firmware = [];
      this.hotplug.length = 0;
      return true;
    }
    return /^(?:SRAT: PXM|Faking a node at|NUMA: Node )/.test(text);
  }

  /** The blocks that the kernel ends up with. @param memblock its RAM decides what is dropped */
  blocks(memblock: Memblock): NumaBlock[] {
    const low = memblock.settings.profile.numaBlocksFromDram ? memblock.startOfDram : 0;
    const high = memblock.endOfDram;
    if (this.emulated.length > 0) return this.emulated;
    if (this.firmware.length === 0) return [{ start: low, end: high, nid: 0 }];
    const there = this.firmware
      .map(({ start, end, nid }) => ({
        start: Math.max(start, low),
        end: Math.min(end, high),
        nid,
      }))
      .filter(({ start, end }) => start < end && memblock.overlaps('memory', start, end - start));
    return joinBlocks(there);
  }
}

/** Joins blocks of a node between which no block of another node lies. */
export function joinBlocks(blocks: readonly NumaBlock[]): NumaBlock[] {
  const joined = [...blocks].sort((a, b) => a.start - b.start);
  for (let i = 0; i < joined.length; i++) {
    for (let j = i + 1; j < joined.length;) {
      const a = joined[i]!;
      const b = joined[j]!;
      const start = Math.min(a.start, b.start);
      const end = Math.max(a.end, b.end);
      const between = joined.some(
        (other) => other.nid !== a.nid && other.start < end && other.end > start,
      );
      if (a.nid !== b.nid || between) {
        j++;
      } else {
        joined[i] = { start, end, nid: a.nid };
        joined.splice(j, 1);
      }
    }
  }
  return joined;
}
