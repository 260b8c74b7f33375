/**
 * Reservations whose place a line tells, in any log: image (from /proc/iomem, or the first dump), initrd, crash kernel,
 * contiguous areas, node data, what firmware and device tree keep, tables of ACPI.
 */
import { intersect, normalise, totalLength } from '@bootmem/firmware-map/derive';
import type { RowInput } from '../base/level.js';
import type { ByteSpan, Evidence } from '../../explain-result.js';
import { KERNEL_BASE } from '../../plan/reservations.js';
import { reservesOf } from './releases.js';
import { isX86 } from '../base/subject.js';
import type { Subject } from '../base/subject.js';

const MIB = 2 ** 20;

/** Rows with addresses, the most trusted first. */
export function placedRows(subject: Subject): RowInput[] {
  return [
    ...noMap(subject),
    ...initrd(subject),
    ...image(subject),
    ...printedRanges(subject),
    ...lowMemory(subject),
  ];
}

function initrd({ plan, quote }: Subject): RowInput[] {
  const { ramdisk } = plan.description.printed;
  if (ramdisk === undefined) return [];
  const evidence = [quote.at(ramdisk.line, `initrd at ${hex(ramdisk)}`)];
  // Only memory counts, and whole pages of it.
  const { pageSize } = plan;
  const pages = {
    start: Math.floor(ramdisk.start / pageSize) * pageSize,
    end: Math.ceil(ramdisk.end / pageSize) * pageSize,
  };
  return [{ kind: 'initrd', ranges: [pages], how: 'printed', evidence }];
}

/** Parts of the image that the `Memory:` line counts, KiB, by the names it has for them. */
const IMAGE_PARTS = ['kernel code', 'rwdata', 'rodata', 'data', 'init', 'bss'] as const;

/** Bytes of the image's parts as the `Memory:` line counts them; 0 without it. */
export function imageBytes({ plan }: Subject): number {
  const parts = plan.description.printed.memory?.partsKb ?? {};
  return IMAGE_PARTS.reduce((sum, name) => sum + (parts[name] ?? 0), 0) * 1024;
}

function image(subject: Subject): RowInput[] {
  const place = imagePlace(subject);
  if (place === undefined) return [];
  const memory = subject.plan.description.printed.memory;
  const evidence = [
    ...place.evidence,
    ...(memory === undefined ? [] : [subject.quote.at(memory.line, 'Memory: …')]),
  ];
  return [{ kind: 'image', ranges: place.ranges, how: 'printed', evidence }];
}

/** Where the image lies: named in iomem, or the region of the first dump that is large enough and where it is linked. */
function imagePlace({
  plan,
  quote,
}: Subject): { ranges: ByteSpan[]; evidence: Evidence[] } | undefined {
  const { proc, memblock } = plan.description;
  const entries = (proc.iomem ?? []).filter(
    ({ name, start }) => name.startsWith('Kernel ') && start > 0,
  );
  if (entries.length > 0) {
    const start = entries.reduce((low, entry) => Math.min(low, entry.start), Infinity);
    const end = entries.reduce((high, entry) => Math.max(high, entry.end), 0);
    const evidence = entries.map((one) =>
      quote.beside('iomem', one.line, `${hex(one)} : ${one.name}`),
    );
    return { ranges: [{ start, end }], evidence };
  }
  const region = memblock.dumps[0]?.reserved.find(
    ({ start, end }) => start <= KERNEL_BASE && KERNEL_BASE < end,
  );
  if (region === undefined) return undefined;
  return { ranges: [region], evidence: [quote.at(region.line, `reserved ${hex(region)}`)] };
}

/**
 * What firmware keeps and the kernel never maps, and yet counts as present. Named by the device tree, by entries of
 * /proc/iomem beside System RAM, by the EFI map; else early ranges that touch without being one differ in this mark.
 */
function noMap(subject: Subject): RowInput[] {
  const { plan, quote } = subject;
  if (isX86(subject)) return [];
  const { firmware, proc } = plan.description;
  const memory = normalise(plan.derived.memory);
  const marked = plan.derived.memory.filter((range) => range.noMap === true);
  const rows: RowInput[] = [];
  const add = (found: readonly ByteSpan[], evidence: Evidence[]): void => {
    rows.push({ kind: 'no-map', ranges: intersect(found, memory), how: 'printed', evidence });
  };
  const tree = (firmware.deviceTree ?? []).filter((entry) => entry.noMap);
  add(
    tree,
    tree.map((entry) => quote.at(entry.line, `${entry.name} ${hex(entry)} nomap`)),
  );
  const iomem = (proc.iomem ?? []).filter(
    ({ name, depth, start }) => depth === 0 && start > 0 && /^reserved$/i.test(name),
  );
  add(
    iomem,
    iomem.map((entry) => quote.beside('iomem', entry.line, `${hex(entry)} : ${entry.name}`)),
  );
  const kept = normalise(marked);
  add(
    marked,
    firmware.efi
      .filter((entry) => intersect([entry], kept).length > 0)
      .map((entry) => quote.at(entry.line, `${entry.name} ${hex(entry)}`)),
  );
  if (iomem.length === 0 && marked.length === 0) rows.push(...splitRanges(subject));
  return rows.filter(({ evidence }) => evidence.length > 0);
}

/** Early ranges that touch differ in the one mark there is; of each run, the part that is mapped is the larger. */
function splitRanges({ plan, quote }: Subject): RowInput[] {
  const { earlyRanges } = plan.description.printed;
  const kept: (typeof earlyRanges)[number][] = [];
  const settle = (run: typeof earlyRanges): void => {
    if (run.length < 2) return;
    const [even, odd] = [0, 1].map((rest) => run.filter((_, index) => index % 2 === rest));
    kept.push(...(totalLength(even!) > totalLength(odd!) ? odd! : even!));
  };
  let run: (typeof earlyRanges)[number][] = [];
  for (const range of earlyRanges) {
    const last = run.at(-1);
    if (last?.end === range.start && last.nid === range.nid) run.push(range);
    else {
      settle(run);
      run = [range];
    }
  }
  settle(run);
  if (kept.length === 0) return [];
  const evidence = [
    quote.formula(
      'ranges that touch and are printed apart: every second one is marked "not mapped"',
    ),
    ...kept.map((range) => quote.at(range.line, `node ${range.nid}: ${hex(range)}`)),
  ];
  return [{ kind: 'no-map', ranges: kept, how: 'computed', evidence }];
}

function printedRanges({ plan, quote }: Subject): RowInput[] {
  const { printed, numa, firmware } = plan.description;
  const rows: RowInput[] = [];
  const add = (
    kind: RowInput['kind'],
    found: readonly (ByteSpan & { line: number })[],
    words: (one: ByteSpan) => string,
  ): void => {
    if (found.length === 0) return;
    const evidence = found.map((one) => quote.at(one.line, words(one)));
    rows.push({ kind, ranges: found, how: 'printed', evidence });
  };
  add('crashkernel', printed.crashkernel, (one) => `crash kernel ${hex(one)}`);
  add(
    'cma',
    (printed.cma ?? []).flatMap(({ start, bytes, line }) =>
      start === undefined ? [] : [{ start, end: start + bytes, line }],
    ),
    (one) => `contiguous area ${hex(one)}`,
  );
  const uses = printed.uses ?? [];
  const place = (what: string): (ByteSpan & { line: number })[] =>
    uses.flatMap(({ what: own, start, bytes = 0, line }) =>
      own === what && start !== undefined ? [{ start, end: start + bytes, line }] : [],
    );
  add('bounce-buffer', place('bounce-buffer').slice(0, 1), (one) => `bounce buffer ${hex(one)}`);
  add('aperture', place('aperture'), (one) => `aperture ${hex(one)}`);
  add('node-data', numa.nodeData, (one) => `node data ${hex(one)}`);
  add(
    'device-tree',
    (firmware.deviceTree ?? []).filter((one) => !one.noMap && !one.reusable),
    (one) => `device tree ${hex(one)}`,
  );
  add('acpi-tables', printed.acpiTables, (one) => `ACPI table ${hex(one)}`);
  return rows;
}

/** x86 leaves the first megabyte to firmware and to starting processors: all of it since 5.13, less before. */
function lowMemory(subject: Subject): RowInput[] {
  const { plan, quote } = subject;
  if (!isX86(subject)) return [];
  const whole = reservesOf(plan.kernel.release).lowMemory === MIB;
  const text = whole
    ? 'x86 kernels since 5.13 leave all memory below 1 MiB alone'
    : 'x86 kernels leave the first 64 KiB alone';
  return [
    {
      kind: 'low-memory',
      ranges: [{ start: 0, end: whole ? MIB : 65_536 }],
      how: 'computed',
      evidence: [quote.formula(text)],
    },
  ];
}

function hex({ start, end }: ByteSpan): string {
  return `0x${start.toString(16)}-0x${(end - 1).toString(16)}`;
}
