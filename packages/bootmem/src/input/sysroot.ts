/**
 * Files of /proc and /sys under another root: what an sosreport, a container or a chroot holds of a machine.
 */
import { join } from 'node:path';
import type { MemoryBlock, MemoryBlocks } from './memory-blocks.js';
import { bytesIfAny, namesIn, namesInIfAny } from './open-input.js';
import { readThisMachine } from './this-machine.js';
import type { MachineFiles } from './this-machine.js';
import type { LoadedMachine } from './types.js';

const BLOCKS = '/sys/devices/system/memory';

/** Memory blocks that are read at a time: each takes three files, and a process may be allowed a hundred. */
const AT_A_TIME = 8;

/** Files under a folder, plain ones of a size that is read whole. */
function filesUnder(root: string, signal: AbortSignal | undefined): MachineFiles {
  return {
    read: async (path) => {
      const bytes = await bytesIfAny(join(root, path), signal);
      if (bytes === undefined) throw new Error('there is no such file');
      return bytes;
    },
    list: (path) => namesIn(join(root, path)),
  };
}

/**
 * Reads a machine from files under a root.
 * @param root    a folder that holds `proc` and `sys`; `/` for the machine this runs on
 * @param signal  ends it
 * @throws BootmemError ERR_BOOTMEM_READ when nothing there describes memory, or a memory block cannot be read; the signal's reason
 */
export async function readSysroot(root: string, signal?: AbortSignal): Promise<LoadedMachine> {
  const files = filesUnder(root, signal);
  const isThis = root === '/';
  const machine = await readThisMachine(files, isThis ? undefined : root, signal);
  const blocks = await readBlocks(join(root, BLOCKS), signal);
  return blocks === undefined ? machine : { ...machine, blocks };
}

/**
 * Memory blocks as sysfs has them: a folder each, with its state, its zones and a link to its node.
 * @returns `undefined` where there are none
 */
async function readBlocks(
  folder: string,
  signal: AbortSignal | undefined,
): Promise<MemoryBlocks | undefined> {
  const text = async (path: string): Promise<string | undefined> =>
    (await bytesIfAny(join(folder, path), signal))?.toString().trim();
  const block = async (name: string): Promise<MemoryBlock | undefined> => {
    const [state, zones, entries] = await Promise.all([
      text(join(name, 'state')),
      text(join(name, 'valid_zones')),
      namesInIfAny(join(folder, name)),
    ]);
    if (state === undefined) return undefined;
    const node = entries.map((entry) => /^node(\d+)$/.exec(entry)?.[1]).find((nid) => nid);
    return {
      index: Number(name.slice('memory'.length)),
      online: state === 'online',
      zone: zones?.split(' ')[0] ?? '',
      nid: Number(node ?? 0),
    };
  };
  const names = (await namesInIfAny(folder)).filter((name) => /^memory\d+$/.test(name));
  const blocks: MemoryBlock[] = [];
  for (let at = 0; at < names.length; at += AT_A_TIME) {
    const found = await Promise.all(names.slice(at, at + AT_A_TIME).map(block));
    blocks.push(...found.filter((one) => one !== undefined));
  }
  blocks.sort((a, b) => a.index - b.index);
  const blockBytes = Number.parseInt((await text('block_size_bytes')) ?? '', 16);
  const policy = await text('auto_online_blocks');
  if (!(Number.isSafeInteger(blockBytes) && blockBytes > 0) || blocks.length === 0)
    return undefined;
  return {
    blockBytes,
    blocks,
    ...(policy === undefined ? {} : { autoOnline: policy !== 'offline' }),
  };
}
