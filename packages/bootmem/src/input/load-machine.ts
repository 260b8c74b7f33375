/**
 * From what the user names to a machine description: a log, the folder of a recorded boot, the shipped
 * sample, a synthetic machine, or the machine this runs on.
 *
 * ```
 * FILE | --memory | --this-machine | (sample) ─▶ firmware-map ─▶ MachineDescription
 *                        files beside the log (zoneinfo, buddyinfo, …) ─▶ merged in as truths
 * ```
 */
import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mergeDescriptions, readDescription, synthesize } from '@bootmem/firmware-map';
import type { MachineDescription, ReadOptions, ReadResult } from '@bootmem/firmware-map';
import { BootmemError, messageOf } from '../errors.js';
import { SAMPLE_LOG } from '../package-info.js';
import { expanded, STANDARD_INPUT } from './expand.js';
import { fromZoneinfo, LAID_OUT } from './from-zoneinfo.js';
import { joinLogs } from './join-logs.js';
import { KeptLines } from './kept-lines.js';
import { parseMemoryBlocks } from './memory-blocks.js';
import type { MemoryBlocks } from './memory-blocks.js';
import { readThisMachine } from './this-machine.js';
import type { HotplugStep, LoadedMachine, MachineSource } from './types.js';

/** Files that may lie beside `dmesg.txt` or `console.txt` of a recorded boot. */
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

/** Logs of a recorded boot, in the order of preference. */
const LOGS = ['dmesg.txt', 'console.txt'] as const;

/** What says which kernel ran, where no log does, and what its line would begin with in one. */
const IDENTITY_FILES = [
  ['version.txt', ''],
  ['cmdline.txt', 'Command line: '],
] as const;

/**
 * Loads a machine.
 * @param file    a log, `-` for standard input, a folder with `dmesg.txt` or `console.txt`, or `undefined` for the sample
 * @param source  other sources and which boot of the log
 * @throws BootmemError ERR_BOOTMEM_USAGE when sources contradict each other, ERR_BOOTMEM_READ when a file
 *   cannot be read, ERR_BOOTMEM_INPUT with line and reason when it holds no machine; the signal's reason when it is raised
 */
export async function loadMachine(
  file: string | undefined,
  source: MachineSource = {},
): Promise<LoadedMachine> {
  const named = [file !== undefined, source.memory !== undefined, source.thisMachine === true];
  if (named.filter(Boolean).length > 1) {
    throw new BootmemError('ERR_BOOTMEM_USAGE', 'give one of FILE, --memory, --this-machine');
  }
  if (source.thisMachine === true) return await readThisMachine();
  if (source.memory !== undefined) return synthetic(source);
  const synthetics = (['nodes', 'cpus', 'unaccepted'] as const).filter(
    (name) => source[name] !== undefined,
  );
  if (synthetics.length > 0) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      `--${synthetics.join(', --')} need --memory: they describe a synthetic machine`,
    );
  }
  return await loadLog(file ?? SAMPLE_LOG, source);
}

function synthetic(source: MachineSource): LoadedMachine {
  try {
    const description = synthesize({
      memory: source.memory ?? 0,
      ...(source.nodes === undefined ? {} : { nodes: source.nodes }),
      ...(source.cpus === undefined ? {} : { cpus: source.cpus }),
      ...(source.unaccepted === undefined ? {} : { unaccepted: source.unaccepted }),
    });
    return { description, source: 'synthetic', notes: [] };
  } catch (error) {
    throw new BootmemError('ERR_BOOTMEM_USAGE', messageOf(error), {}, { cause: error });
  }
}

async function loadLog(path: string, source: MachineSource): Promise<LoadedMachine> {
  if (path !== STANDARD_INPUT && isFolder(path)) return await loadFolder(path, source);
  const lines = new KeptLines();
  const result = await readLog(path, source, lines);
  if (!result.ok) throw inputError(path, result);
  return await finish(result.description, path, lines);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new BootmemError(
      'ERR_BOOTMEM_READ',
      `cannot read ${path}: ${messageOf(error)}`,
      { path },
      { cause: error },
    );
  }
}

/**
 * A recorded boot: the kernel's ring, the console, or both joined where the ring has lost the beginning; without
 * either, the files of /proc alone.
 */
async function loadFolder(folder: string, source: MachineSource): Promise<LoadedMachine> {
  const logs = LOGS.map((name) => join(folder, name)).filter((log) => existsSync(log));
  if (logs.length === 0) return await loadFiles(folder);
  let failure: BootmemError | undefined;
  for (const log of logs) {
    const lines = new KeptLines();
    const result = await readLog(log, source, lines);
    if (!result.ok) failure ??= inputError(log, result);
    const isWhole = result.ok && result.description.kernel !== undefined;
    if (!isWhole && log !== logs.at(-1)) {
      const joined = new KeptLines();
      const whole = await joinedLog(
        { ring: log, console: logs.at(-1)!, boot: source.boot },
        joined,
      );
      if (whole !== undefined) return await finish(whole, log, joined);
    } else if (result.ok) return await finish(result.description, log, lines);
  }
  throw failure!;
}

async function joinedLog(
  { ring, console, boot }: { ring: string; console: string; boot: number | undefined },
  lines: KeptLines,
): Promise<MachineDescription | undefined> {
  const whole = joinLogs(await liveConsole(console), await readFile(ring, 'utf8'));
  if (whole === undefined) return undefined;
  const result = await readDescription([whole], readOptions(ring, boot, lines));
  return result.ok ? result.description : undefined;
}

/** A folder without a log: what the files of /proc and /sys in it say, read as one text. */
async function loadFiles(folder: string): Promise<LoadedMachine> {
  const texts: string[] = [];
  for (const [name, prefix] of [
    ...IDENTITY_FILES,
    ...SIBLINGS.map((file) => [file, ''] as const),
  ]) {
    const path = join(folder, name);
    if (existsSync(path)) texts.push(`${prefix}${(await readFile(path, 'utf8')).trimEnd()}\n`);
  }
  if (texts.length === 0) {
    throw new BootmemError(
      'ERR_BOOTMEM_READ',
      `neither a boot log nor files of /proc in ${folder}`,
      {
        path: folder,
      },
    );
  }
  const result = await readDescription(texts, { name: basename(folder) });
  if (!result.ok) throw inputError(folder, result);
  const { description, notes } = withMap(result.description);
  return {
    description,
    source: basename(folder),
    notes: ['no boot log: what follows from /proc alone', ...notes],
    ...(await besides(join(folder, LOGS[0]))),
  };
}

async function finish(
  read: MachineDescription,
  log: string,
  lines: KeptLines,
): Promise<LoadedMachine> {
  const { description, notes: laidOut } = withMap(await withSiblings(read, log));
  const notes = description.problems
    .filter((problem) => problem.severity === 'error')
    .slice(0, 20)
    .map((problem) => `line ${problem.line}: ${problem.message}`);
  return {
    description,
    source: nameOf(log),
    notes: [...notes, ...laidOut],
    lines: lines.texts,
    ...(await besides(log)),
  };
}

/** What was recorded beside a log: its blocks, and what came later. */
async function besides(log: string): Promise<Pick<LoadedMachine, 'blocks' | 'steps'>> {
  const steps = await hotplugSteps(log);
  const blocks = await memoryBlocks(log);
  return {
    ...(blocks === undefined ? {} : { blocks }),
    ...(steps.length === 0 ? {} : { steps }),
  };
}

/** Zones of zoneinfo are better than no memory at all. */
function withMap(description: MachineDescription): {
  description: MachineDescription;
  notes: readonly string[];
} {
  const { firmware, proc, printed, memblock } = description;
  const maps = [
    firmware.map,
    firmware.user,
    firmware.modified,
    firmware.setupData,
    firmware.efi,
    firmware.banks ?? [],
  ];
  const isKnown =
    [...maps, printed.earlyRanges, memblock.dumps, proc.firmwareMemmap ?? []].some(
      (list) => list.length > 0,
    ) || (proc.iomem ?? []).some(({ name }) => name.startsWith('System RAM'));
  const hasZones = (proc.zoneinfo ?? []).some(
    ({ present, startPfn }) => (present ?? 0) > 0 && startPfn !== undefined,
  );
  if (isKnown || !hasZones) return { description, notes: [] };
  return { description: fromZoneinfo(description), notes: [`no memory map: ${LAID_OUT}`] };
}

function readOptions(path: string, boot: number | undefined, lines: KeptLines): ReadOptions {
  return {
    name: basename(path),
    ...(boot === undefined ? {} : { boot: boot - 1 }),
    onRecord: (line, text) => {
      lines.keep(line, text);
    },
  };
}

async function readLog(
  path: string,
  { boot, signal }: MachineSource,
  lines: KeptLines,
): Promise<ReadResult> {
  const which = readOptions(path, boot, lines);
  try {
    if (basename(path) === 'console.txt')
      return await readDescription([await liveConsole(path)], which);
    return await readDescription(expanded(path, { signal }), which);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof BootmemError) throw error;
    throw new BootmemError(
      'ERR_BOOTMEM_READ',
      `cannot read ${path}: ${messageOf(error)}`,
      { path },
      { cause: error },
    );
  }
}

/** A recorded console: the live log, without the files that the machine dumped to it afterwards. */
async function liveConsole(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  const dumped = text.indexOf('@@BEGIN ');
  return dumped < 0 ? text : text.slice(0, dumped);
}

function inputError(path: string, result: ReadResult & { ok: false }): BootmemError {
  const problem =
    result.problems.find((candidate) => candidate.severity === 'error') ?? result.problems[0];
  const where = problem === undefined || problem.line === 0 ? '' : ` line ${problem.line}:`;
  return new BootmemError(
    'ERR_BOOTMEM_INPUT',
    `${path}:${where} ${problem?.message ?? 'nothing in it describes a machine'}`,
    { path, problems: result.problems.slice(0, 20) },
  );
}

async function withSiblings(
  description: MachineDescription,
  log: string,
): Promise<MachineDescription> {
  const folder = dirname(log);
  if (!/^(dmesg|console)\.txt$/.test(basename(log))) return description;
  const more: MachineDescription[] = [];
  for (const name of SIBLINGS) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    const result = await readDescription([await readFile(path)], { name });
    if (result.ok) more.push(result.description);
  }
  return more.length === 0 ? description : mergeDescriptions(description, ...more);
}

/** The blocks beside the log of a recorded boot. */
async function memoryBlocks(log: string): Promise<MemoryBlocks | undefined> {
  const path = join(dirname(log), 'memory_blocks.txt');
  if (!/^(dmesg|console)\.txt$/.test(basename(log)) || !existsSync(path)) return undefined;
  return parseMemoryBlocks(await readFile(path, 'utf8'));
}

/** Recordings of later steps beside the log: `zoneinfo_STEP.txt` with `memory_blocks_STEP.txt`. */
async function hotplugSteps(log: string): Promise<HotplugStep[]> {
  if (!/^(dmesg|console)\.txt$/.test(basename(log))) return [];
  const folder = dirname(log);
  const steps: HotplugStep[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const name = /^zoneinfo_(\w+)\.txt$/.exec(file)?.[1];
    const blockFile = join(folder, `memory_blocks_${name ?? ''}.txt`);
    if (name === undefined || !existsSync(blockFile)) continue;
    const zones = await readDescription([await readFile(join(folder, file))], { name: file });
    const blocks = parseMemoryBlocks(await readFile(blockFile, 'utf8'));
    if (!zones.ok || blocks === undefined) continue;
    steps.push({ name, zoneinfo: zones.description.proc.zoneinfo ?? [], blocks });
  }
  return steps;
}

/** `dmesg.txt` says nothing: a recorded boot is called by its folder. */
function nameOf(path: string): string {
  if (path === STANDARD_INPUT) return 'standard input';
  const name = basename(path);
  return /^(dmesg|console)\.txt$/.test(name) ? basename(dirname(path)) || name : name;
}
