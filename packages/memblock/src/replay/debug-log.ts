/**
 * Reads the lines that a kernel prints with `memblock=debug`, one event a line.
 *
 * An allocation prints a request and then the reservation of what it got; a request without a
 * reservation behind it failed. Both spellings of a reservation are read (`memblock_reserve:` and,
 * after 6.14, `__memblock_reserve:` with node and flags).
 *
 * Source: published boot logs.
 */
import { wrappingSum } from '../base/arithmetic.js';
import type { RegionType } from '../base/types.js';
import { stripPrefix, DumpReader, wordOf, type MemblockDump } from './read-dump.js';

/** A range added, reserved, removed or given back. */
export interface RangeEvent {
  readonly kind: 'add' | 'reserve' | 'remove' | 'free' | 'physmem-add' | 'free-late';
  readonly base: number;
  /** Bytes, may be 0. */
  readonly size: number;
  /** Where the line names a node. */
  readonly nid?: number;
  /** Where the line names flags. */
  readonly flags?: number;
  /** `symbol+0xoffset/0xlength`. */
  readonly caller: string;
}

/** What was asked of the allocator. */
export interface RequestEvent {
  readonly kind: 'request';
  readonly call: 'phys_alloc_range' | 'alloc_try_nid' | 'alloc_try_nid_raw' | 'alloc_exact_nid_raw';
  readonly size: number;
  readonly align: number;
  /** -1 for none; absent in the range family. */
  readonly nid?: number;
  readonly from: number;
  readonly maxAddress: number;
  readonly caller: string;
}

/** An array was doubled and moved. */
interface GrownEvent {
  readonly kind: 'grown';
  readonly type: RegionType;
  /** Entries it has room for now. */
  readonly entries: number;
  readonly base: number;
  /** Bytes used, not rounded to pages. */
  readonly size: number;
}

/** A configuration was printed. */
interface DumpEvent {
  readonly kind: 'dump';
  readonly dump: MemblockDump;
}

/** One thing that a debug line tells. */
export type DebugEvent = RangeEvent | RequestEvent | GrownEvent;

const RANGE_KINDS: Readonly<Record<string, RangeEvent['kind']>> = {
  memblock_add: 'add',
  memblock_add_node: 'add',
  memblock_reserve: 'reserve',
  __memblock_reserve: 'reserve',
  memblock_remove: 'remove',
  memblock_phys_free: 'free',
  // The name up to 5.15.
  memblock_free: 'free',
  memblock_physmem_add: 'physmem-add',
  memblock_free_late: 'free-late',
};

const RANGE =
  /^(\w+): \[0x([0-9a-f]+)-0x([0-9a-f]+)\](?: nid=(-?\d+) flags=(?:0x)?([0-9a-f]+))? (.*)$/;
const REQUEST =
  /^memblock_(phys_alloc_range|alloc_try_nid|alloc_try_nid_raw|alloc_exact_nid_raw): (\d+) bytes align=0x([0-9a-f]+)(?: nid=(-?\d+))? from=0x([0-9a-f]+) max_addr=0x([0-9a-f]+) (.*)$/;
const GROWN =
  /^memblock: (memory|reserved|physmem) is doubled to (\d+) at \[0x([0-9a-f]+)-0x([0-9a-f]+)\]/;

/**
 * Reads one line, with or without level and time stamp.
 * @returns undefined for a line that is not memblock's
 * @throws MemblockError ERR_MEMBLOCK_FORMAT for an address outside the space
 */
export function parseDebugLine(raw: string): DebugEvent | undefined {
  const line = stripPrefix(raw);
  if (!line.startsWith('memblock') && !line.startsWith('__memblock')) return undefined;
  const request = REQUEST.exec(line);
  if (request !== null) {
    return {
      kind: 'request',
      call: request[1] as RequestEvent['call'],
      size: wordOf(BigInt(request[2]!).toString(16), line),
      align: wordOf(request[3]!, line),
      ...(request[4] === undefined ? {} : { nid: Number(request[4]) }),
      from: wordOf(request[5]!, line),
      maxAddress: wordOf(request[6]!, line),
      caller: request[7]!,
    };
  }
  const grown = GROWN.exec(line);
  if (grown !== null) {
    const base = wordOf(grown[3]!, line);
    return {
      kind: 'grown',
      type: grown[1] as RegionType,
      entries: Number(grown[2]),
      base,
      size: wordOf(grown[4]!, line) - base + 1,
    };
  }
  const range = RANGE.exec(line);
  const kind = range === null ? undefined : RANGE_KINDS[range[1]!];
  if (range === null || kind === undefined) return undefined;
  const base = wordOf(range[2]!, line);
  const last = wordOf(range[3]!, line);
  const size = wrappingSum(last, 1) - base;
  return {
    kind,
    base,
    size: size < 0 ? size + 2 ** 53 : size,
    ...(range[4] === undefined ? {} : { nid: Number(range[4]) }),
    ...(range[5] === undefined ? {} : { flags: Number.parseInt(range[5], 16) }),
    caller: range[6]!,
  };
}

/** Whether two events tell the same, whoever called. */
export function sameEvent(a: DebugEvent, b: DebugEvent): boolean {
  return showEvent(a) === showEvent(b);
}

/** An event in readable form, without its caller. */
export function showEvent(event: DebugEvent): string {
  if (event.kind === 'request') {
    const nid = event.nid === undefined ? '' : ` nid ${event.nid}`;
    return `${event.call} ${event.size} bytes align 0x${event.align.toString(16)}${nid} from 0x${event.from.toString(16)} to 0x${event.maxAddress.toString(16)}`;
  }
  const range = `[0x${event.base.toString(16)}, +0x${event.size.toString(16)})`;
  if (event.kind === 'grown') return `${event.type} grown to ${event.entries} at ${range}`;
  const node = event.nid === undefined ? '' : ` nid ${event.nid} flags ${event.flags ?? 0}`;
  return `${event.kind} ${range}${node}`;
}

/** A line of a log: an event, or a text that is not memblock's. */
export interface LogEntry {
  /** 1-based; of a configuration, where it begins. */
  readonly line: number;
  /** The line without level and time stamp. */
  readonly text: string;
  readonly event: DebugEvent | DumpEvent | undefined;
}

/** Reads a whole log, line by line; a configuration is one entry. */
export function* readDebugLog(lines: Iterable<string>): Generator<LogEntry, void, undefined> {
  let dump: DumpReader | undefined;
  let dumpLine = 0;
  let number = 0;
  for (const raw of lines) {
    number++;
    const text = stripPrefix(raw);
    if (dump !== undefined) {
      if (dump.feed(text)) continue;
      yield { line: dumpLine, text: '', event: { kind: 'dump', dump: dump.result() } };
      dump = undefined;
    }
    if (DumpReader.begins(text)) {
      dump = new DumpReader();
      dumpLine = number;
      continue;
    }
    yield { line: number, text, event: parseDebugLine(text) };
  }
  if (dump !== undefined) {
    yield { line: dumpLine, text: '', event: { kind: 'dump', dump: dump.result() } };
  }
}
