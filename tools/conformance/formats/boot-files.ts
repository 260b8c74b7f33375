/**
 * The files of a recorded boot: each read by firmware-map and by the recordings' own readers, which share no code
 * with it; and the log's records counted with plain searches.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  readBuddyinfo,
  readFirmwareMemmap,
  readIomem,
  readPagetypeinfo,
  readZoneinfo,
} from '@bootmem-tools/oracle';
import { parseDescription } from '@bootmem/firmware-map';
import { deriveMemory } from '@bootmem/firmware-map/derive';
import type { MachineDescription } from '@bootmem/firmware-map';
import { Case, type CaseResult } from './case.js';

type FileCheck = (test: Case, description: MachineDescription, text: string) => void;

const FILES: Readonly<Record<string, FileCheck>> = {
  'zoneinfo.txt': checkZoneinfo,
  'buddyinfo.txt': checkBuddyinfo,
  'pagetypeinfo.txt': checkPagetypeinfo,
  'iomem.txt': checkIomem,
  'firmware_memmap.txt': checkFirmwareMemmap,
  'meminfo.txt': (test, { proc }, text) => {
    test.equal(
      'meminfo lines',
      text.trim().split('\n').length,
      Object.keys(proc.meminfo ?? {}).length,
    );
  },
  'nodes.txt': (test, { proc }, text) => {
    const ids = [...text.matchAll(/node\/node(\d+)\/cpulist$/gm)].map(([, nid]) => Number(nid));
    test.equal(
      'nodes',
      ids,
      (proc.nodes ?? []).map(({ nid }) => nid),
    );
    const totals = [...text.matchAll(/^Node \d+ MemTotal: +(\d+) kB$/gm)].map(([, kb]) =>
      Number(kb),
    );
    test.equal(
      'node totals',
      totals,
      (proc.nodes ?? []).map(({ memTotalKb }) => memTotalKb),
    );
  },
  'dmesg.txt': checkLog,
  'console.txt': checkLog,
};

/** Checks every file of a boot that is there. */
export function* checkBoot(folder: string): Generator<CaseResult> {
  for (const [file, check] of Object.entries(FILES)) {
    const path = join(folder, file);
    if (!existsSync(path)) continue;
    const test = new Case(`${basename(folder)}/${file}`);
    const text = readFileSync(path, 'utf8');
    const read = parseDescription(text, { name: file });
    if (read.ok) {
      check(test, read.description, text);
      const error = read.description.problems.find(({ severity }) => severity === 'error');
      test.equal('errors', undefined, error && `line ${error.line}: ${error.message}`);
    } else test.equal('readable', 'a description', read.problems[0]?.message);
    yield test.result();
  }
}

function checkZoneinfo(test: Case, { proc }: MachineDescription, text: string): void {
  const fields = ['free', 'min', 'low', 'high', 'spanned', 'present', 'managed', 'cma'] as const;
  const theirs = readZoneinfo(text).map(({ nid, zone, pages, protection, stats, tail }) => {
    const all = new Map<string, unknown>([...pages, ...tail]);
    const counters = stats.length;
    return [
      nid,
      zone,
      ...fields.map((name) => all.get(name)),
      all.get('start_pfn'),
      protection,
      counters,
    ];
  });
  const perNode = new Set<number>();
  const ours = (proc.zoneinfo ?? []).map((zone) => {
    const names = Object.keys(zone.counters);
    const own = names.filter((name) =>
      /^(?:nr_zone_|nr_mlock|nr_bounce|nr_zspages|nr_free_|nr_unaccepted|numa_)/.test(name),
    );
    perNode.add(zone.nid);
    return [
      zone.nid,
      zone.zone,
      ...fields.map((name) => zone[name]),
      zone.startPfn,
      zone.protection,
      own.length,
    ];
  });
  test.equal('zones', theirs, ours);
}

function checkBuddyinfo(test: Case, { proc }: MachineDescription, text: string): void {
  const theirs = readBuddyinfo(text).map((row) => Object.values(row) as unknown[]);
  const ours = (proc.buddyinfo ?? []).map(({ nid, zone, counts }) => [nid, zone, counts]);
  test.equal('rows', theirs, ours);
}

function checkPagetypeinfo(test: Case, { proc }: MachineDescription, text: string): void {
  const theirs = readPagetypeinfo(text);
  const ours = proc.pagetypeinfo;
  test.holds('read by both', ours !== undefined && Object.keys(theirs).length > 0);
  const rows = [...text.matchAll(/^Node +\d+, zone +\w+, type +\w+ /gm)].length;
  test.equal('free rows', rows, ours?.free.length);
  const order = /Page block order: (\d+)/.exec(text);
  test.equal('page block order', Number(order?.[1]), ours?.pageblockOrder);
  const blocks = [...text.matchAll(/^Node \d+, zone +\w+((?: +\d+)+) *$/gm)];
  const counts = blocks.map(([, numbers]) => numbers!.trim().split(/ +/).map(Number));
  test.equal(
    'blocks',
    counts,
    ours?.blocks.map((row) => Object.values(row.counts)),
  );
}

function checkIomem(test: Case, { proc }: MachineDescription, text: string): void {
  const theirs = readIomem(text);
  test.equal('entries', theirs.length, proc.iomem?.length);
  const lines = (proc.iomem ?? []).map(({ start, end, name, depth }) => {
    const digits = (value: number): string => value.toString(16).padStart(8, '0');
    return `${'  '.repeat(depth)}${digits(start)}-${digits(end - 1)} : ${name}`;
  });
  test.equal('text written back', text.trimEnd(), lines.join('\n'));
}

function checkFirmwareMemmap(test: Case, { proc }: MachineDescription, text: string): void {
  test.equal('entries', readFirmwareMemmap(text).length, proc.firmwareMemmap?.length);
  const lines = (proc.firmwareMemmap ?? []).map(
    ({ start, end, text: kind }, index) =>
      `${index} 0x${start.toString(16)} 0x${(end - 1).toString(16)} ${kind}`,
  );
  test.equal('text written back', text.trimEnd().split('\n'), lines);
}

// The console text of a run holds the log twice: as it was printed, and as dmesg saved it. Counted is the boot that
// was taken.
function checkLog(test: Case, description: MachineDescription, whole: string): void {
  const { firstLine } = description.source;
  const anew = description.problems.find(({ code }) => code === 'REPEATED_LOG');
  const lastLine = anew === undefined ? description.source.lastLine : anew.line - 1;
  const text = whole
    .split('\n')
    .slice(firstLine - 1, lastLine)
    .join('\n');
  const { memblock, printed, firmware, numa } = description;
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  const operations = memblock.operations.filter(({ op }) => op !== 'alloc' && op !== 'grow');
  test.equal(
    'memblock operations',
    count(/memblock_(?:add|reserve|remove|phys_free|free|free_late): \[/g),
    operations.length,
  );
  test.equal(
    'memblock requests',
    count(/memblock_\w+: \d+ bytes align/g),
    memblock.operations.filter(({ op }) => op === 'alloc').length,
  );
  test.equal(
    'growths',
    count(/ is doubled to /g),
    memblock.operations.filter(({ op }) => op === 'grow').length,
  );
  test.equal('dumps', count(/MEMBLOCK configuration/g), memblock.dumps.length);
  const regions = memblock.dumps.flatMap(({ memory, reserved }) => [...memory, ...reserved]);
  test.equal('dump regions', count(/\b(?:memory|reserved)\[0x/g), regions.length);
  test.equal('map entries', count(/BIOS-e820: /g), firmware.map.length);
  test.equal('user entries', count(/\buser: \[mem/g), firmware.user.length);
  test.equal('SRAT entries', count(/SRAT: Node /g), numa.srat.length);
  test.equal('early ranges', count(/ node +\d+: \[mem/g), printed.earlyRanges.length);
  test.equal('unavailable', count(/pages in unavailable ranges/g), printed.unavailable.length);
  test.equal('fallback orders', count(/Fallback order for Node/g), printed.fallbackOrders.length);
  test.equal('zonelists', count(/mminit::zonelist/g), printed.zonelistOrders.length);
  test.equal('memmap_init', count(/mminit::memmap_init/g), printed.memmapInit.length);
  test.equal('freeing', count(/Freeing [^:\n]*: \d+K/g), printed.freeing.length);
  test.equal('deferred', count(/deferred pages initialised/g), printed.deferred.length);
  if (firmware.map.length === 0 || printed.earlyRanges.length === 0) return;
  const early = printed.earlyRanges.map(({ nid, start, end }) => [nid, start, end]);
  const { memory } = deriveMemory(description, { from: 'firmware' });
  test.equal(
    'memory by node',
    early,
    memory.map(({ nid, start, end }) => [nid, start, end]),
  );
}
