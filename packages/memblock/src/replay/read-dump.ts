/**
 * Reads the configuration that a kernel prints with `memblock=debug`, and its debug file.
 *
 * ```
 * MEMBLOCK configuration:
 *  memory size = 0x… reserved size = 0x…
 *  memory.cnt  = 0x4
 *  memory[0x0]	[0x0000000000001000-0x000000000009efff], 0x000000000009e000 bytes on node 0 flags: 0x0
 * ```
 */
import { NO_NODE } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import { parseHexDigits } from '../base/notation.js';
import type { MemblockState, MemRegion, RegionType } from '../base/types.js';

/** A configuration as printed. Regions "without a node" have nid NO_NODE: the text does not say which kind. */
export interface MemblockDump {
  readonly memorySize: number;
  readonly reservedSize: number;
  readonly memory: readonly MemRegion[];
  readonly reserved: readonly MemRegion[];
  /** Only where the third list is built in. */
  readonly physmem?: readonly MemRegion[];
}

/** The part of a log line behind the level and the time stamp. */
export function stripPrefix(line: string): string {
  return line
    .replace(/^<\d+>/, '')
    .replace(/^\[\s*\d+\.\d+\](?:\[[^\]]*\])? ?/, '')
    .replace(/\r?\n?$/, '');
}

/** Reads the lines of one configuration; feed them in order until {@link feed} says false. */
export class DumpReader {
  private readonly lists: Record<RegionType, MemRegion[]> = {
    memory: [],
    reserved: [],
    physmem: [],
  };
  private readonly counts = new Map<string, number>();
  private sizes: readonly [number, number] | undefined = undefined;

  /** Whether a (stripped) line begins a configuration. */
  static begins(line: string): boolean {
    return line.startsWith('MEMBLOCK configuration:');
  }

  /**
   * Takes the next stripped line.
   * @returns false when the line does not belong to the configuration: it is complete
   */
  feed(line: string): boolean {
    const sizes = /^ memory size = 0x([0-9a-f]+) reserved size = 0x([0-9a-f]+)$/.exec(line);
    if (sizes !== null) {
      this.sizes = [wordOf(sizes[1]!, line), wordOf(sizes[2]!, line)];
      return true;
    }
    const count = /^ (memory|reserved|physmem)\.cnt\s+= (?:0x)?([0-9a-f]+)$/.exec(line);
    if (count !== null) {
      this.counts.set(count[1]!, wordOf(count[2]!, line));
      return true;
    }
    const region =
      /^ (memory|reserved|physmem)\[(?:0x)?([0-9a-f]+)\]\t\[0x([0-9a-f]+)-0x([0-9a-f]+)\], 0x([0-9a-f]+) bytes(?: on node (\d+))? flags: (?:0x)?([0-9a-f]+)$/.exec(
        line,
      );
    if (region === null) return false;
    const list = this.lists[region[1] as RegionType];
    const size = wordOf(region[5]!, line);
    // Kernels up to 6.8 show an empty list as one entry of size 0.
    if (size === 0) return true;
    list.push({
      base: wordOf(region[3]!, line),
      size,
      flags: Number.parseInt(region[7]!, 16),
      nid: region[6] === undefined ? NO_NODE : Number(region[6]),
    });
    return true;
  }

  /** What was read. @throws MemblockError ERR_MEMBLOCK_FORMAT when the size line is missing or a count is wrong */
  result(): MemblockDump {
    if (this.sizes === undefined) {
      throw new MemblockError('ERR_MEMBLOCK_FORMAT', 'the configuration has no line of sizes');
    }
    for (const type of ['memory', 'reserved', 'physmem'] as const) {
      const counted = this.counts.get(type) ?? 0;
      const there = this.lists[type].length;
      if (counted !== there && !(counted === 1 && there === 0)) {
        throw new MemblockError(
          'ERR_MEMBLOCK_FORMAT',
          `${type}: ${counted} regions are announced, ${there} are printed`,
          { type },
        );
      }
    }
    const { memory, reserved, physmem } = this.lists;
    return {
      memorySize: this.sizes[0],
      reservedSize: this.sizes[1],
      memory,
      reserved,
      ...(this.counts.has('physmem') ? { physmem } : {}),
    };
  }
}

/**
 * Reads a configuration out of a text; lines in front of it and behind it are passed over.
 * @throws MemblockError ERR_MEMBLOCK_FORMAT when there is none, or it is damaged
 */
export function parseDump(text: string): MemblockDump {
  const reader = new DumpReader();
  let inside = false;
  for (const raw of text.split('\n')) {
    const line = stripPrefix(raw);
    if (!inside) inside = DumpReader.begins(line);
    else if (!reader.feed(line)) break;
  }
  if (!inside) throw new MemblockError('ERR_MEMBLOCK_FORMAT', 'no configuration in the text');
  return reader.result();
}

/** The state that a configuration tells; regions without a node get `nodeless` as their node. */
export function stateOfDump(dump: MemblockDump, nodeless: number): MemblockState {
  const withNode = (regions: readonly MemRegion[]): MemRegion[] =>
    regions.map((region) => (region.nid === NO_NODE ? { ...region, nid: nodeless } : region));
  return {
    memory: withNode(dump.memory),
    reserved: withNode(dump.reserved),
    ...(dump.physmem === undefined ? {} : { physmem: withNode(dump.physmem) }),
    memoryTotal: dump.memorySize,
    reservedTotal: dump.reservedSize,
  };
}

/** A word of the kernel's as our number. */
export function wordOf(digits: string, line: string): number {
  const value = parseHexDigits(digits);
  if (value !== undefined) return value;
  throw new MemblockError('ERR_MEMBLOCK_FORMAT', `0x${digits} is no physical address: ${line}`);
}
