/**
 * Files of /proc and /sys under another root: what an sosreport, a container or a chroot holds of a machine.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MemoryBlock, MemoryBlocks } from './memory-blocks.js';
import { readThisMachine } from './this-machine.js';
import type { MachineFiles } from './this-machine.js';
import type { LoadedMachine } from './types.js';

const BLOCKS = '/sys/devices/system/memory';

/** Files under a folder. */
function filesUnder(root: string): MachineFiles {
  return {
    read: (path) => readFile(join(root, path), 'utf8'),
    list: (path) => readdir(join(root, path)),
  };
}

/**
 * Reads a machine from files under a root.
 * @param root  a folder that holds `proc` and `sys`; `/` for the machine this runs on
 * @throws BootmemError ERR_BOOTMEM_READ when nothing there describes memory
 */
export async function readSysroot(root: string): Promise<LoadedMachine> {
  const files = filesUnder(root);
  const isThis = root === '/';
  const machine = await readThisMachine(files, isThis ? undefined : root);
  const blocks = await readBlocks(files);
  return blocks === undefined ? machine : { ...machine, blocks };
}

/**
 * Memory blocks as sysfs has them: a folder each, with its state, its zones and a link to its node.
 * @returns `undefined` where there are none
 */
async function readBlocks(files: MachineFiles): Promise<MemoryBlocks | undefined> {
  const text = async (path: string): Promise<string | undefined> =>
    (await files.read(join(BLOCKS, path)).catch(() => undefined))?.trim();
  const blockBytes = Number.parseInt((await text('block_size_bytes')) ?? '', 16);
  const names = await files.list(BLOCKS).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => /^memory\d+$/.test(name))
      .map(async (name): Promise<MemoryBlock | undefined> => {
        const [state, zones, entries] = await Promise.all([
          text(join(name, 'state')),
          text(join(name, 'valid_zones')),
          files.list(join(BLOCKS, name)).catch(() => []),
        ]);
        if (state === undefined) return undefined;
        const node = entries.map((entry) => /^node(\d+)$/.exec(entry)?.[1]).find((nid) => nid);
        return {
          index: Number(name.slice('memory'.length)),
          online: state === 'online',
          zone: zones?.split(' ')[0] ?? '',
          nid: Number(node ?? 0),
        };
      }),
  );
  const blocks = found.filter((block) => block !== undefined).sort((a, b) => a.index - b.index);
  const policy = await text('auto_online_blocks');
  if (!(Number.isSafeInteger(blockBytes) && blockBytes > 0) || blocks.length === 0)
    return undefined;
  return {
    blockBytes,
    blocks,
    ...(policy === undefined ? {} : { autoOnline: policy !== 'offline' }),
  };
}
