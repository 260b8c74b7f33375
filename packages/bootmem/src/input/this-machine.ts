/**
 * The machine this runs on, as far as an ordinary user may read it: /proc/iomem (addresses are hidden from
 * everyone but root), /proc/zoneinfo, /proc/buddyinfo, /sys/firmware/memmap, /sys/devices/system/node.
 *
 * Without addresses the spans of /proc/zoneinfo still tell where each zone lies; holes are then unknown and
 * that is said.
 */
import { arch, cpus, hostname, release } from 'node:os';
import { join } from 'node:path';
import { mergeDescriptions, readDescription } from '@bootmem/firmware-map';
import type { MachineDescription, ReadResult } from '@bootmem/firmware-map';
import type { Architecture } from '@bootmem/firmware-map/types';
import { BootmemError, messageOf } from '../errors.js';
import { fromZoneinfo, LAID_OUT } from './from-zoneinfo.js';
import { inTurns } from './open-input.js';
import type { LoadedMachine } from './types.js';

/** Architectures of the kernel, as Node.js calls those of the program. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: 'x86_64',
  ia32: 'i386',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  loong64: 'loongarch64',
  mips: 'mips',
  mipsel: 'mips',
};

/** A reader of files, so that tests can bring their own /proc. */
export interface MachineFiles {
  /** @returns the bytes, or throws */
  read(path: string): Promise<Uint8Array>;
  /** @returns names in a folder, or throws */
  list(path: string): Promise<string[]>;
}

/** Where parts of a machine come from, and where it is said what could not be had. */
interface Source {
  readonly files: MachineFiles;
  readonly notes: string[];
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads this machine.
 * @param files  where to read
 * @param root   where they are from, when it is another machine's: nothing of this host is filled in then
 * @param signal ends it
 * @throws BootmemError ERR_BOOTMEM_READ when nothing that describes memory could be read (no Linux); the signal's reason
 */
export async function readThisMachine(
  files: MachineFiles,
  root?: string,
  signal?: AbortSignal,
): Promise<LoadedMachine> {
  const notes: string[] = [];
  const source: Source = { files, notes, signal };
  const parts: MachineDescription[] = [];
  const identity = root === undefined ? [] : ['/proc/version'];
  const described = ['/proc/iomem', '/proc/zoneinfo', '/proc/buddyinfo', '/proc/meminfo'];
  for (const path of [...described, ...identity]) {
    const part = await readPart(source, path);
    if (part !== undefined) parts.push(part);
  }
  const nodes = await readNodes(source);
  if (nodes !== undefined) parts.push(nodes);
  const map = await readFirmwareMap(source);
  if (map !== undefined) parts.push(map);
  const [first, ...rest] = parts;
  if (first === undefined) {
    throw new BootmemError(
      'ERR_BOOTMEM_READ',
      root === undefined
        ? 'neither /proc/iomem nor /proc/zoneinfo could be read; --this-machine needs Linux'
        : `neither proc/iomem nor proc/zoneinfo could be read under ${root}`,
      { notes },
    );
  }
  const merged = mergeDescriptions(first, ...rest);
  return finish(merged, notes, root);
}

/** What a small file says, without the space around it. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim();
}

function understood(
  text: Uint8Array,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ReadResult> {
  return readDescription(inTurns([text], signal), { name });
}

async function readPart(
  { files, notes, signal }: Source,
  path: string,
): Promise<MachineDescription | undefined> {
  let text: Uint8Array;
  try {
    text = await files.read(path);
  } catch (error) {
    signal?.throwIfAborted();
    notes.push(`${path} could not be read: ${messageOf(error)}`);
    return undefined;
  }
  const result = await understood(text, path, signal);
  if (result.ok) {
    const hidden = result.description.problems.find((one) => one.code === 'HIDDEN_ADDRESSES');
    if (hidden !== undefined) notes.push(`${path}: addresses are hidden without root`);
    return result.description;
  }
  const hidden = result.problems.some((problem) => problem.code === 'HIDDEN_ADDRESSES');
  notes.push(
    hidden
      ? `${path}: addresses are hidden without root`
      : `${path} was not understood: ${result.problems[0]?.message ?? 'no reason given'}`,
  );
  return undefined;
}

/** Nodes of sysfs, in the text form that firmware-map reads. */
async function readNodes({
  files,
  notes,
  signal,
}: Source): Promise<MachineDescription | undefined> {
  const root = '/sys/devices/system/node';
  try {
    const names = (await files.list(root)).filter((name) => /^node\d+$/.test(name));
    const lines: string[] = [];
    for (const name of names.sort(
      (left, right) => Number(left.slice(4)) - Number(right.slice(4)),
    )) {
      for (const file of ['cpulist', 'distance', 'meminfo']) {
        const text = textOf(await files.read(join(root, name, file)));
        lines.push(`== ${root}/${name}/${file}`, text);
      }
    }
    const result = await understood(Buffer.from(`${lines.join('\n')}\n`), 'nodes', signal);
    return result.ok ? result.description : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    notes.push(`${root} could not be read: ${messageOf(error)}`);
    return undefined;
  }
}

async function readFirmwareMap({
  files,
  notes,
  signal,
}: Source): Promise<MachineDescription | undefined> {
  const root = '/sys/firmware/memmap';
  try {
    const entries = (await files.list(root)).filter((name) => /^\d+$/.test(name));
    const lines: string[] = [];
    for (const entry of entries.sort((left, right) => Number(left) - Number(right))) {
      const [start, end, type] = await Promise.all(
        ['start', 'end', 'type'].map(async (name) =>
          textOf(await files.read(join(root, entry, name))),
        ),
      );
      lines.push(`${entry} ${start ?? ''} ${end ?? ''} ${type ?? ''}`);
    }
    const result = await understood(Buffer.from(`${lines.join('\n')}\n`), root, signal);
    return result.ok ? result.description : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    notes.push(`${root} could not be read without root: ${messageOf(error)}`);
    return undefined;
  }
}

/** Fills what files do not say: kernel release, cpus; and the memory itself when addresses are hidden. */
function finish(
  description: MachineDescription,
  notes: string[],
  root: string | undefined,
): LoadedMachine {
  const hasMap =
    description.firmware.map.length > 0 ||
    (description.proc.iomem ?? []).some(
      (entry) => entry.name.includes('System RAM') && entry.end > entry.start + 1,
    );
  let base = description;
  if (!hasMap) {
    base = fromZoneinfo(description);
    notes.push(`without root the memory map is hidden: ${LAID_OUT}`);
  }
  if (root !== undefined) return { description: base, source: root, notes };
  const architecture = ARCHITECTURES[arch()];
  const version = /^\d+\.\d+(?:\.\d+)?/.exec(release())?.[0] ?? '';
  const filled: MachineDescription = {
    ...(architecture === undefined ? {} : { architecture }),
    ...base,
    kernel: base.kernel ?? {
      line: 0,
      release: release(),
      numbers: version.split('.').map(Number),
    },
    cpus: { online: cpus().length, ...base.cpus },
  };
  return { description: filled, source: `this machine (${hostname()})`, notes };
}
