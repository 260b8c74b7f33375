/** What a recorded kernel reported, under the names that `what-if` gives its figures. */
import type { MachineDescription } from '@bootmem/firmware-map';

const range = (start: number, end: number): string =>
  [start, end - 1].map((address) => `0x${address.toString(16).padStart(16, '0')}`).join('-');

/** Facts of one boot. */
export function truthOf(description: MachineDescription): Map<string, string> {
  const facts = new Map<string, string>();
  const { printed, proc, numa } = description;
  for (const zone of proc.zoneinfo ?? []) {
    if (zone.zone === 'Device' || (zone.spanned ?? 0) === 0) continue;
    const name = `node ${zone.nid} ${zone.zone}`;
    const boost = zone.boost ?? 0;
    const marks = [zone.min, zone.low, zone.high].map((mark) => (mark ?? 0) - boost).join(' ');
    facts.set(`${name} start`, String(zone.startPfn));
    facts.set(`${name} spanned`, String(zone.spanned));
    facts.set(`${name} present`, String(zone.present));
    facts.set(`${name} managed`, String(zone.managed));
    if ((zone.managed ?? 0) === 0) continue;
    facts.set(`${name} marks`, marks);
    if (zone.protection !== undefined) facts.set(`${name} reserve`, zone.protection.join(' '));
  }
  for (const { nid, range: own } of printed.nodeSetups) {
    facts.set(`node ${nid} extent`, own === undefined ? 'no memory' : range(own.start, own.end));
  }
  const holes = new Map<string, number>();
  for (const { nid, zone, pages } of printed.unavailable) {
    const key = `node ${nid ?? '?'} ${zone ?? '?'} holes`;
    holes.set(key, (holes.get(key) ?? 0) + pages);
  }
  for (const [key, pages] of holes) facts.set(key, String(pages));
  if (printed.memory !== undefined) facts.set('present', String(printed.memory.totalKb * 1024));
  const crash = printed.crashkernel.toSorted((a, b) => a.start - b.start);
  for (const [index, one] of crash.entries()) {
    const isLow = index < crash.length - 1;
    facts.set(isLow ? 'crashkernel low' : 'crashkernel', range(one.start, one.end));
  }
  for (const { start, bytes } of printed.cma ?? []) {
    if (start !== undefined) facts.set('cma', range(start, start + bytes));
  }
  for (const { nid, start, end } of numa.nodeData) facts.set(`node data ${nid}`, range(start, end));
  const operations = description.memblock.operations;
  const names = /reserve_mem=\w+:\w+:([^:\s]+)/g;
  const named = [...(description.commandLine?.text ?? '').matchAll(names)].map(
    (match) => match[1]!,
  );
  for (const [index, one] of operations.entries()) {
    const answer = operations[index + 1];
    if (one.op !== 'alloc' || !/^reserve_mem\b/.test(one.caller) || answer?.op !== 'reserve')
      continue;
    facts.set(`reserve_mem ${named.shift() ?? '?'}`, range(answer.start, answer.end));
  }
  for (const { pageBytes, preallocated } of printed.hugetlb) {
    if (preallocated > 0) facts.set(`huge pages ${pageBytes / 2 ** 20} MiB`, String(preallocated));
  }
  return facts;
}
