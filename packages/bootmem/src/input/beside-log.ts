/**
 * What may lie beside the log of a recorded boot: files of /proc and /sys, memory blocks, recordings of later steps. A file that
 * is not there says nothing; one that is there and cannot be read is an error, since silence would change what is said.
 */
import { basename, dirname, join } from 'node:path';
import { mergeDescriptions, readDescription } from '@bootmem/firmware-map';
import type { MachineDescription, ReadResult } from '@bootmem/firmware-map';
import { parseMemoryBlocks } from './memory-blocks.js';
import type { MemoryBlocks } from './memory-blocks.js';
import { bytesIfAny, inTurns, namesIn } from './open-input.js';
import type { HotplugStep, LoadedMachine } from './types.js';

/** Files that say how memory came out. */
const SIBLINGS = [
  'zoneinfo.txt',
  'buddyinfo.txt',
  'pagetypeinfo.txt',
  'meminfo.txt',
  'iomem.txt',
  'nodes.txt',
  'firmware_memmap.txt',
  'debugfs_memblock.txt',
];

/** What says which kernel ran, where no log does, and what its line would begin with in one. */
const IDENTITY_FILES = [
  ['version.txt', ''],
  ['cmdline.txt', 'Command line: '],
] as const;

/** Logs of a recorded boot, in the order of preference. */
export const LOGS = ['dmesg.txt', 'console.txt'] as const;

/** Whether a log is one of a recorded boot, so that what lies beside it belongs to it. */
export function isRecorded(log: string): boolean {
  return (LOGS as readonly string[]).includes(basename(log));
}

/** Files of a recorded boot that a step of its recording wrote. */
const OF_STEP = /^zoneinfo_(\w+)\.txt$/;

/** Whether a file of that name, in the folder of a recorded boot, may be read with it. */
export function isPartOfBoot(name: string): boolean {
  const names: readonly string[] = [
    ...LOGS,
    ...SIBLINGS,
    ...IDENTITY_FILES.map(([identity]) => identity),
  ];
  return names.includes(name) || OF_STEP.test(name) || /^memory_blocks(?:_\w+)?\.txt$/.test(name);
}

/**
 * The files of a folder without a log, read as one text.
 * @returns undefined when there is none
 */
export async function readFiles(
  folder: string,
  signal: AbortSignal | undefined,
): Promise<ReadResult | undefined> {
  const chunks: Buffer[] = [];
  for (const [name, prefix] of [
    ...IDENTITY_FILES,
    ...SIBLINGS.map((file) => [file, ''] as const),
  ]) {
    const text = await bytesIfAny(join(folder, name), signal);
    if (text !== undefined) chunks.push(Buffer.from(prefix), text, Buffer.from('\n'));
  }
  if (chunks.length === 0) return undefined;
  return await readDescription(inTurns(chunks, signal), { name: basename(folder) });
}

/** A log's description with what the files beside it say. */
export async function withSiblings(
  description: MachineDescription,
  log: string,
  signal: AbortSignal | undefined,
): Promise<MachineDescription> {
  if (!isRecorded(log)) return description;
  const more: MachineDescription[] = [];
  for (const name of SIBLINGS) {
    const result = await readIfAny(join(dirname(log), name), signal);
    if (result?.ok === true) more.push(result.description);
  }
  return more.length === 0 ? description : mergeDescriptions(description, ...more);
}

/** The blocks beside a log, and what came later. */
export async function besides(
  log: string,
  signal: AbortSignal | undefined,
): Promise<Pick<LoadedMachine, 'blocks' | 'steps'>> {
  if (!isRecorded(log)) return {};
  const folder = dirname(log);
  const blocks = await memoryBlocks(folder, 'memory_blocks.txt', signal);
  const steps: HotplugStep[] = [];
  for (const file of await namesIn(folder)) {
    const name = OF_STEP.exec(file)?.[1];
    if (name === undefined) continue;
    const after = await memoryBlocks(folder, `memory_blocks_${name}.txt`, signal);
    const zones = after && (await readIfAny(join(folder, file), signal));
    if (after === undefined || zones?.ok !== true) continue;
    steps.push({ name, zoneinfo: zones.description.proc.zoneinfo ?? [], blocks: after });
  }
  return {
    ...(blocks === undefined ? {} : { blocks }),
    ...(steps.length === 0 ? {} : { steps }),
  };
}

async function readIfAny(
  path: string,
  signal: AbortSignal | undefined,
): Promise<ReadResult | undefined> {
  const bytes = await bytesIfAny(path, signal);
  return bytes && (await readDescription(inTurns([bytes], signal), { name: basename(path) }));
}

async function memoryBlocks(
  folder: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<MemoryBlocks | undefined> {
  const bytes = await bytesIfAny(join(folder, name), signal);
  return bytes && parseMemoryBlocks(bytes.toString());
}
