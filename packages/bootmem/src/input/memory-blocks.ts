/**
 * Reads the list of memory blocks of /sys/devices/system/memory, as recorded boots write it:
 *
 * ```
 * --- block_size_bytes
 * 8000000
 * --- auto_online_blocks
 * online
 * --- name phys_index state removable valid_zones
 * memory32 00000020 online 1 [Normal] node0
 * ```
 */

/** One block. */
export interface MemoryBlock {
  /** Address in units of the block size. */
  readonly index: number;
  readonly online: boolean;
  /** The zone it is online in; `none` for blocks that several zones share. */
  readonly zone: string;
  readonly nid: number;
}

/** All blocks of a machine at one moment. */
export interface MemoryBlocks {
  /** The kernel itself puts memory online as it is added; absent where that is not recorded. */
  readonly autoOnline?: boolean;
  readonly blockBytes: number;
  readonly blocks: readonly MemoryBlock[];
}

const LINE = /^memory\d+ ([\da-f]+) (\S+) \d \[([^\]]*)\] node(\d+)/;

/**
 * Reads the list.
 * @param text  the recorded text
 * @returns `undefined` when it holds no block size or no block
 */
export function parseMemoryBlocks(text: string): MemoryBlocks | undefined {
  const size = /^--- block_size_bytes\n([\da-f]+)$/m.exec(text)?.[1];
  const blocks: MemoryBlock[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    blocks.push({
      index: Number.parseInt(match[1] ?? '', 16),
      online: match[2] === 'online',
      zone: (match[3] ?? '').split(' ')[0] ?? '',
      nid: Number(match[4]),
    });
  }
  const blockBytes = Number.parseInt(size ?? '', 16);
  const policy = /^--- auto_online_blocks\n(\w+)$/m.exec(text)?.[1];
  return Number.isSafeInteger(blockBytes) && blockBytes > 0 && blocks.length > 0
    ? { blockBytes, blocks, ...(policy === undefined ? {} : { autoOnline: policy !== 'offline' }) }
    : undefined;
}
