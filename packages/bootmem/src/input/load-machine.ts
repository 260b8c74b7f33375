/**
 * From what the user names to a machine description: a log, the folder of a recorded boot, the shipped
 * sample, a synthetic machine, or the machine this runs on.
 *
 * ```
 * FILE | --memory | --this-machine | (sample) ─▶ firmware-map ─▶ MachineDescription
 *                        files beside the log (zoneinfo, buddyinfo, …) ─▶ merged in as truths
 * ```
 */
import { basename, dirname, join } from 'node:path';
import { readDescription, synthesize } from '@bootmem/firmware-map';
import type { MachineDescription, ReadOptions, ReadResult } from '@bootmem/firmware-map';
import { BootmemError, messageOf } from '../errors.js';
import { SAMPLE_LOG } from '../package-info.js';
import { checkAddresses } from './address-limits.js';
import { besides, isRecorded, LOGS, readFiles, withSiblings } from './beside-log.js';
import { fromZoneinfo, LAID_OUT } from './from-zoneinfo.js';
import { joinLogs } from './join-logs.js';
import { KeptLines } from './kept-lines.js';
import { bytesIfAny, bytesOf, inTurns, kindOf, STANDARD_INPUT } from './open-input.js';
import { expanded } from './unpack/expand.js';
import { readSysroot } from './sysroot.js';
import type { LoadedMachine, MachineSource } from './types.js';

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
  const named = [
    file !== undefined,
    source.memory !== undefined,
    source.thisMachine === true,
    source.sysroot !== undefined,
  ];
  if (named.filter(Boolean).length > 1) {
    throw new BootmemError(
      'ERR_BOOTMEM_USAGE',
      'give one of FILE, --memory, --this-machine, --sysroot',
    );
  }
  if (source.sysroot !== undefined) return await readSysroot(source.sysroot, source.signal);
  if (source.thisMachine === true) return await readSysroot('/', source.signal);
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
  if (path !== STANDARD_INPUT && (await kindOf(path)) === 'folder')
    return await loadFolder(path, source);
  const lines = new KeptLines();
  const result = await readLog(path, source, lines);
  if (!result.ok) throw inputError(path, result);
  return await finish(result.description, { log: path, lines, source });
}

/**
 * A recorded boot: the kernel's ring, the console, or both joined where the ring has lost the beginning; without
 * either, the files of /proc alone.
 */
async function loadFolder(folder: string, source: MachineSource): Promise<LoadedMachine> {
  const logs: string[] = [];
  for (const name of LOGS) {
    const log = join(folder, name);
    if ((await kindOf(log)) !== undefined) logs.push(log);
  }
  if (logs.length === 0) return await loadFiles(folder, source);
  let failure: BootmemError | undefined;
  for (const log of logs) {
    const lines = new KeptLines();
    const result = await readLog(log, source, lines);
    if (!result.ok) failure ??= inputError(log, result);
    const isWhole = result.ok && result.description.kernel !== undefined;
    if (!isWhole && log !== logs.at(-1)) {
      const joined = new KeptLines();
      const whole = await joinedLog({ ring: log, console: logs.at(-1)! }, source, joined);
      if (whole !== undefined) return await finish(whole, { log, lines: joined, source });
    } else if (result.ok) return await finish(result.description, { log, lines, source });
  }
  throw failure!;
}

async function joinedLog(
  { ring, console }: { ring: string; console: string },
  { boot, signal }: MachineSource,
  lines: KeptLines,
): Promise<MachineDescription | undefined> {
  const begin: Uint8Array[] = [];
  for await (const chunk of liveConsole(console, signal)) begin.push(chunk);
  const end = await bytesIfAny(ring, signal);
  const whole = joinLogs(Buffer.concat(begin).toString(), end?.toString() ?? '');
  if (whole === undefined) return undefined;
  const chunks = inTurns([Buffer.from(whole)], signal);
  const result = await readDescription(chunks, readOptions(ring, boot, lines));
  return result.ok ? result.description : undefined;
}

/** A folder without a log. */
async function loadFiles(folder: string, { signal }: MachineSource): Promise<LoadedMachine> {
  const result = await readFiles(folder, signal);
  if (result === undefined) {
    const message = `neither a boot log nor files of /proc in ${folder}`;
    throw new BootmemError('ERR_BOOTMEM_READ', message, { path: folder });
  }
  if (!result.ok) throw inputError(folder, result);
  const { description, notes } = withMap(result.description);
  checkAddresses(description, folder);
  return {
    description,
    source: basename(folder),
    notes: ['no boot log: what follows from /proc alone', ...notes],
    ...(await besides(join(folder, LOGS[0]), signal)),
  };
}

async function finish(
  read: MachineDescription,
  { log, lines, source }: { log: string; lines: KeptLines; source: MachineSource },
): Promise<LoadedMachine> {
  const { signal } = source;
  const { description, notes: laidOut } = withMap(await withSiblings(read, log, signal));
  checkAddresses(description, log);
  const notes = description.problems
    .filter((problem) => problem.severity === 'error')
    .slice(0, 20)
    .map((problem) => `line ${problem.line}: ${problem.message}`);
  return {
    description,
    source: nameOf(log),
    notes: [...notes, ...laidOut],
    lines: lines.texts,
    ...(await besides(log, signal)),
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
  const isConsole = basename(path) === 'console.txt';
  const bytes = isConsole ? liveConsole(path, signal) : expanded(path, { signal });
  return await readDescription(inTurns(bytes, signal), readOptions(path, boot, lines));
}

/** What a recorded console begins with when the machine dumps files to it. */
const DUMP = '@@BEGIN ';

/** A recorded console: the live log, without the files that the machine dumped to it afterwards. */
async function* liveConsole(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of bytesOf(path, { signal })) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = bytes.indexOf(DUMP);
    if (end >= 0) {
      yield bytes.subarray(0, end);
      return;
    }
    // The mark may be cut by the border of two pieces.
    const whole = Math.max(0, bytes.byteLength - DUMP.length + 1);
    yield bytes.subarray(0, whole);
    rest = bytes.subarray(whole);
  }
  yield rest;
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

/** `dmesg.txt` says nothing: a recorded boot is called by its folder. */
function nameOf(path: string): string {
  if (path === STANDARD_INPUT) return 'standard input';
  const name = basename(path);
  return isRecorded(path) ? basename(dirname(path)) || name : name;
}
