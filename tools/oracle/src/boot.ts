/**
 * A recorded boot: one folder with the files of the recording, read on request.
 *
 * The layout is that of the boots recordings: `meta.json`, /proc and /sys files as `NAME.txt` or
 * `NAME_STEP.txt`, and snapshots `snap_POINT_WHAT.txt`. Nothing is read before it is asked for and
 * nothing is kept, so that going over many boots costs one boot's memory.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readFreeLists, type FreeListsSnapshot } from './freelists.js';
import { readMemblock, readNumaMeminfo } from './memblock.js';
import type { MemblockSnapshot, NumaBlockSnapshot } from './memblock.js';
import { readSections, readStructPages } from './memmap.js';
import type { SectionSnapshot, StructPageRun } from './memmap.js';
import { readBuddyinfo, readIomem, readPagetypeinfo } from './proc.js';
import type { BuddyinfoLine, IomemLine, PagetypeinfoNode } from './proc.js';
import { readFirmwareMemmap, readMemoryBlocks, readNodes, readSysctl } from './sysfs.js';
import type { FirmwareMemmapEntry, MemoryBlocks, NodeLine } from './sysfs.js';
import { readZoneinfo, type ZoneinfoZone } from './zoneinfo.js';
import { readZones, type ZonesSnapshot } from './zones.js';

/** The fields of `meta.json` that runs use. */
export interface BootMeta {
  readonly name: string;
  readonly note: string;
  /** Release, e.g. `6.1.0-50-amd64`. */
  readonly kernel: string;
  readonly version: string;
  readonly qemu_args: readonly string[];
  /** Kernel command line. */
  readonly append: string;
  readonly initrd_bytes: number;
  readonly completed: boolean;
  readonly warnings: readonly string[];
  readonly config: Readonly<Record<string, string>>;
}

/** Numbers of one kernel build from `constants.json`. */
export interface KernelConstants {
  readonly sizeof: Readonly<Record<string, number>>;
  readonly pageflags: Readonly<Record<string, number>>;
  readonly zone_type: Readonly<Record<string, number>>;
  readonly migratetype: Readonly<Record<string, number>>;
  readonly memblock_flags: Readonly<Record<string, number>>;
}

/** One recorded boot. Readers throw ERR_ORACLE_FORMAT on text they do not know, ENOENT on missing files. */
export class BootRecord {
  readonly dir: string;
  readonly name: string;

  constructor(parent: string, name: string) {
    this.dir = join(parent, name);
    this.name = name;
  }

  /** Whether the recording has the file `name` (with extension). */
  has(name: string): boolean {
    return existsSync(join(this.dir, name));
  }

  /** Text of the file `name` (with extension). */
  text(name: string): string {
    return readFileSync(join(this.dir, name), 'utf8');
  }

  /** File names of the recording, sorted. */
  files(): string[] {
    return readdirSync(this.dir).sort();
  }

  /** Points at which `what` (`memblock`, `zones`, `freelists`, …) was recorded, sorted. */
  points(what: string): string[] {
    const pattern = new RegExp(`^snap_(.+)_${what}\\.txt$`);
    return this.files().flatMap((file) => pattern.exec(file)?.[1] ?? []);
  }

  meta(): BootMeta {
    return JSON.parse(this.text('meta.json')) as BootMeta;
  }

  memblock(point: string): MemblockSnapshot {
    return readMemblock(this.snap(point, 'memblock'));
  }

  numaMeminfo(point = 'P3'): NumaBlockSnapshot[] {
    return readNumaMeminfo(this.snap(point, 'numa_meminfo'));
  }

  zones(point: string): ZonesSnapshot {
    return readZones(this.snap(point, 'zones'));
  }

  freeLists(point: string): FreeListsSnapshot {
    return readFreeLists(this.snap(point, 'freelists'));
  }

  sections(point: string): SectionSnapshot[] {
    return readSections(this.snap(point, 'sections'));
  }

  structPages(point: string): Generator<StructPageRun, void, undefined> {
    return readStructPages(this.snap(point, 'structpages'));
  }

  /** `step` names a repetition, e.g. `onlined` for `zoneinfo_onlined.txt`. */
  zoneinfo(step?: string): ZoneinfoZone[] {
    return readZoneinfo(this.step('zoneinfo', step));
  }

  buddyinfo(step?: string): BuddyinfoLine[] {
    return readBuddyinfo(this.step('buddyinfo', step));
  }

  pagetypeinfo(step?: string): PagetypeinfoNode[] {
    return readPagetypeinfo(this.step('pagetypeinfo', step));
  }

  iomem(step?: string): IomemLine[] {
    return readIomem(this.step('iomem', step));
  }

  memoryBlocks(step?: string): MemoryBlocks {
    return readMemoryBlocks(this.step('memory_blocks', step));
  }

  firmwareMemmap(): FirmwareMemmapEntry[] {
    return readFirmwareMemmap(this.text('firmware_memmap.txt'));
  }

  nodes(step?: string): NodeLine[] {
    return readNodes(this.step('nodes', step));
  }

  /** /proc/sys/vm. */
  sysctl(): Map<string, string> {
    return readSysctl(this.text('sysvm.txt'));
  }

  /** The lines of `dmesg.txt` without level and time stamp. */
  dmesg(): string[] {
    return this.text('dmesg.txt')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^<\d+>\[ *\d+\.\d+\] ?/, ''));
  }

  private snap(point: string, what: string): string {
    return this.text(`snap_${point}_${what}.txt`);
  }

  private step(name: string, step: string | undefined): string {
    return this.text(step === undefined ? `${name}.txt` : `${name}_${step}.txt`);
  }
}

/** The recorded boots in `dir`, by name: every folder with a `meta.json`. */
export function listBoots(dir: string): BootRecord[] {
  return readdirSync(dir)
    .sort()
    .filter((name) => existsSync(join(dir, name, 'meta.json')))
    .map((name) => new BootRecord(dir, name));
}

/** Reads `constants.json` of the recordings in `dir`: kernel release → numbers. */
export function readConstants(dir: string): Readonly<Record<string, KernelConstants>> {
  return JSON.parse(readFileSync(join(dir, 'constants.json'), 'utf8')) as Record<
    string,
    KernelConstants
  >;
}
