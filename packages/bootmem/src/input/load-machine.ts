/**
 * From what the user names to a machine description: a log, the folder of a recorded boot, the shipped
 * sample, a synthetic machine, or the machine this runs on.
 *
 * ```
 * FILE | --memory | --this-machine | (sample) ─▶ firmware-map ─▶ MachineDescription
 *                        files beside the log (zoneinfo, buddyinfo, …) ─▶ merged in as truths
 * ```
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mergeDescriptions, readDescription, synthesize } from '@bootmem/firmware-map';
import type { MachineDescription, ReadResult } from '@bootmem/firmware-map';
import { BootmemError, messageOf } from '../errors.js';
import { SAMPLE_LOG } from '../package-info.js';
import { parseMemoryBlocks } from './memory-blocks.js';
import type { MemoryBlocks } from './memory-blocks.js';
import { readThisMachine } from './this-machine.js';
import type { HotplugStep, LoadedMachine, MachineSource } from './types.js';

/** Files that may lie beside `dmesg.txt` or `console.txt` of a recorded boot. */
const SIBLINGS = [
  'zoneinfo.txt',
  'buddyinfo.txt',
  'pagetypeinfo.txt',
  'iomem.txt',
  'nodes.txt',
  'firmware_memmap.txt',
];

/**
 * Loads a machine.
 * @param file    a log, a folder with `dmesg.txt` or `console.txt`, or `undefined` for the sample
 * @param source  other sources and which boot of the log
 * @throws BootmemError ERR_BOOTMEM_USAGE when sources contradict each other, ERR_BOOTMEM_READ when a file
 *   cannot be read, ERR_BOOTMEM_INPUT with line and reason when it holds no machine
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
  return await loadLog(file ?? SAMPLE_LOG, source.boot);
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

async function loadLog(path: string, boot: number | undefined): Promise<LoadedMachine> {
  const candidates = logFiles(path);
  let failure: BootmemError | undefined;
  for (const candidate of candidates) {
    const result = await readLog(candidate, boot);
    if (!result.ok) {
      failure ??= inputError(candidate, result);
      continue;
    }
    // A ring buffer that wrapped has lost the start of the boot; the console has all of it.
    const wrapped = result.description.kernel === undefined && candidate !== candidates.at(-1);
    if (wrapped) continue;
    const description = await withSiblings(result.description, candidate);
    const notes = description.problems
      .filter((problem) => problem.severity === 'error')
      .slice(0, 20)
      .map((problem) => `line ${problem.line}: ${problem.message}`);
    const steps = await hotplugSteps(candidate);
    const blocks = await memoryBlocks(candidate);
    return {
      description,
      source: nameOf(candidate),
      notes,
      ...(blocks === undefined ? {} : { blocks }),
      ...(steps.length === 0 ? {} : { steps }),
    };
  }
  throw failure ?? new BootmemError('ERR_BOOTMEM_READ', `no boot log in ${path}`, { path });
}

/** The log itself, or those of a recorded boot's folder in the order of preference. */
function logFiles(path: string): string[] {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw new BootmemError(
      'ERR_BOOTMEM_READ',
      `cannot read ${path}: ${messageOf(error)}`,
      { path },
      { cause: error },
    );
  }
  if (!isFolder) return [path];
  return ['dmesg.txt', 'console.txt']
    .map((name) => join(path, name))
    .filter((log) => existsSync(log));
}

async function readLog(path: string, boot: number | undefined): Promise<ReadResult> {
  const which = {
    name: basename(path),
    ...(boot === undefined ? {} : { boot: boot - 1 }),
  };
  const stream = createReadStream(path);
  try {
    if (basename(path) === 'console.txt')
      return await readDescription([await liveConsole(path)], which);
    return await readDescription(stream, which);
  } catch (error) {
    throw new BootmemError(
      'ERR_BOOTMEM_READ',
      `cannot read ${path}: ${messageOf(error)}`,
      { path },
      { cause: error },
    );
  } finally {
    stream.destroy();
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
  const name = basename(path);
  return /^(dmesg|console)\.txt$/.test(name) ? basename(dirname(path)) || name : name;
}
