/**
 * Replays a log's memblock operations from its first dump on, and compares with every later dump the kernel
 * printed; on the way, predicts the address of each allocation from the state before it.
 */
import { atOnce, intersect, normalise, subtract } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { Memblock, MemRegion } from '@bootmem/memblock';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ByteRange, MemblockDump, MemblockOperation } from '@bootmem/firmware-map/types';
import type { LoadedMachine } from '../input/types.js';
import { chooseRelease, kernelOf } from '../plan/profile.js';
import type { ReplayReport } from '../result.js';
import { accessibleEnd, predictAllocation } from './predict.js';
import { applyOperation, markHotplug, setNodes, stateOf } from '../plan/replay.js';

/**
 * Replays a loaded machine's operations.
 * @param input  the machine
 */
export function replayMachine(input: LoadedMachine): ReplayReport {
  return atOnce(replaySteps(input));
}

/** The same, to be interrupted. */
export function* replaySteps(input: LoadedMachine): Steps<ReplayReport> {
  return (yield* replayDumps(input)).report;
}

/** A replay, and which of its differences look like a lost line. */
export interface DumpReplay {
  readonly report: ReplayReport;
  /** As many as there are differences: true where a line is missing by all appearance. */
  readonly looksLost: readonly boolean[];
}

/** Dumps that are compared: a kernel prints a few. */
const MOST_DUMPS = 64;

/** The same, with what its differences look like. */
export function* replayDumps(input: LoadedMachine): Steps<DumpReplay> {
  const { description } = input;
  const dumps = description.memblock.dumps.filter((dump) => dump.complete);
  const first = dumps[0];
  const blank = {
    schema: 'bootmem/replay',
    version: 1,
    source: input.source,
    operations: 0,
    dumps: 0,
    equalDumps: 0,
    allocations: 0,
    predicted: 0,
    differences: [],
    finalDump: '',
  } as const;
  if (first === undefined || dumps.length < 2) {
    const reason =
      description.memblock.operations.length === 0
        ? 'the log was made without memblock=debug'
        : 'the log does not hold two complete dumps';
    return { report: { ...blank, notes: [reason] }, looksLost: [] };
  }
  return yield* run(input, first, dumps.slice(1, MOST_DUMPS));
}

/** Operations that are replayed between two yields. */
const OPERATIONS = 256;

function* run(
  input: LoadedMachine,
  first: MemblockDump,
  later: readonly MemblockDump[],
): Steps<DumpReplay> {
  const { description } = input;
  const profile = kernelOf(chooseRelease('auto', description)).memblock;
  const memblock = stateOf(first, profile);
  // With movable_node the kernel allocates upwards from below until it knows the nodes.
  if (description.options.movableNode) memblock.direction = 'bottom-up';
  const operations = description.memblock.operations.filter((one) => one.line > first.line);
  const setAt = Math.min(nodeSetLine(description, operations), firstNamedNode(operations));
  const machine = { description, end: accessibleEnd(description) };
  const differences: string[] = [];
  const looksLost: boolean[] = [];
  const pending = [...later];
  let equalDumps = 0;
  let allocations = 0;
  let predicted = 0;
  let nodesSet = false;
  let gotTaken = false;
  const setOnce = (): void => {
    if (nodesSet) return;
    nodesSet = true;
    markHotplug(memblock, description);
    setNodes(memblock, description, profile);
    memblock.direction = 'top-down';
  };
  const compareUntil = function* (line: number): Steps<void> {
    for (let dump = pending[0]; dump !== undefined && dump.line < line; dump = pending[0]) {
      pending.shift();
      setOnce();
      yield;
      const found = compareDump(memblock, dump, first);
      yield;
      if (found === undefined) equalDumps++;
      else {
        differences.push(found);
        const asked = operations.filter((one) => one.line < dump.line);
        const isLost =
          gotTaken || (yield* differsByOneRange(memblock, dump, asked)) || hasUnanswered(asked);
        looksLost.push(isLost);
      }
    }
  };
  for (const [index, operation] of operations.entries()) {
    if (index % OPERATIONS === 0) yield;
    yield* compareUntil(operation.line);
    if (operation.line >= setAt) setOnce();
    const outcome = predictAllocation(memblock, machine, operations, index);
    if (outcome !== undefined) {
      allocations++;
      if (outcome.equal) predicted++;
    }
    gotTaken ||= findsTaken(memblock, operation);
    applyOperation(memblock, operation);
  }
  yield;
  yield* compareUntil(Infinity);
  yield;
  const finalDump = memblock.dump();
  yield;
  const report: ReplayReport = {
    schema: 'bootmem/replay',
    version: 1,
    source: input.source,
    operations: operations.filter((one) => one.op !== 'alloc').length,
    dumps: later.length,
    equalDumps,
    allocations,
    predicted,
    differences,
    finalDump,
    notes: [],
  };
  return { report, looksLost };
}

/**
 * Whether one range, reserved or not, added or not, is all that a state and a dump differ by: then the line about it is
 * lost. Parts of it may be in both, where other lines speak of them. A rule that is wrong shows in nodes or marks, or in
 * several places.
 */
function* differsByOneRange(
  memblock: Memblock,
  dump: MemblockDump,
  operations: readonly MemblockOperation[],
): Steps<boolean> {
  const spokenOf = normalise(
    operations.flatMap((one) => (one.op === 'reserve' || one.op === 'add' ? [one] : [])),
  );
  const differences: { parts: readonly ByteRange[]; isOne: (hull: ByteRange) => boolean }[] = [];
  for (const type of ['memory', 'reserved'] as const) {
    yield;
    const theirs = normalise(dump[type]);
    yield;
    const ours = normalise(
      memblock.regions(type).map(({ base, size }) => ({ start: base, end: base + size })),
    );
    yield;
    // What is missing here lies in one range of the dump; what is too much, in one gap of it, or what lies in between was
    // taken by other lines after the one that gave it back.
    differences.push(
      {
        parts: subtract(theirs, ours),
        isOne: (hull) => !holds(subtract([hull], theirs)),
      },
      {
        parts: subtract(ours, theirs),
        isOne: (hull) => !holds(subtract(intersect([hull], theirs), spokenOf)),
      },
    );
  }
  const found = differences.filter(({ parts }) => holds(parts));
  const [only] = found;
  if (found.length !== 1 || only === undefined) return false;
  return only.isOne({ start: only.parts[0]!.start, end: only.parts.at(-1)!.end });
}

function holds(ranges: readonly ByteRange[]): boolean {
  return ranges.length > 0;
}

/**
 * Nodes are set right before room for the first node's data is taken. Its request is not printed: it is the reservation
 * without one that has the size of a `NODE_DATA` line, else the one right before the first such line.
 */
export function nodeSetLine(
  { numa }: MachineDescription,
  operations: readonly MemblockOperation[],
): number {
  const firstData = numa.nodeData.reduce((line, one) => Math.min(line, one.line), Infinity);
  const sizes = new Set(numa.nodeData.map(({ start, end }) => end - start));
  const own = operations.find(
    (one, index) =>
      one.op === 'reserve' &&
      one.line < firstData &&
      (sizes.size === 0 || sizes.has(one.end - one.start)) &&
      isUnasked(operations, index),
  );
  const before = operations.findLast((one) => one.op === 'reserve' && one.line < firstData);
  return own?.line ?? before?.line ?? Infinity;
}

/** The first request for memory of one node: nodes are known by then. */
function firstNamedNode(operations: readonly MemblockOperation[]): number {
  const named = operations.find((one) => one.op === 'alloc' && (one.nid ?? -1) >= 0);
  return named?.line ?? Infinity;
}

/** Whether a reservation was made by a search, and no request for it was printed. */
export function isUnasked(operations: readonly MemblockOperation[], index: number): boolean {
  const one = operations[index];
  return (
    one?.op === 'reserve' &&
    one.caller.startsWith('memblock_alloc_range_nid') &&
    operations[index - 1]?.op !== 'alloc'
  );
}

/** Whether a search found what is in use: then the line that gave it back is lost. */
function findsTaken(memblock: Memblock, one: MemblockOperation): boolean {
  return (
    one.op === 'reserve' &&
    one.caller.startsWith('memblock_alloc_range_nid') &&
    memblock.overlaps('reserved', one.start, one.end - one.start)
  );
}

/** Whether a request is not followed by a reservation of its size: what it led to is lost, or it failed. */
function hasUnanswered(operations: readonly MemblockOperation[]): boolean {
  return operations.some((one, index) => {
    const next = operations[index + 1];
    const isAnswer =
      next?.op === 'reserve' && one.op === 'alloc' && next.end - next.start === one.size;
    return one.op === 'alloc' && !isAnswer;
  });
}

/** First difference between a state and a dump, in words. */
function compareDump(
  memblock: Memblock,
  dump: MemblockDump,
  first: MemblockDump,
): string | undefined {
  for (const type of ['memory', 'reserved'] as const) {
    const ours = memblock.regions(type);
    const printed = dump[type];
    const length = Math.max(ours.length, printed.length);
    for (let index = 0; index < length; index++) {
      const region = ours[index];
      const line = printed[index];
      const mine = region === undefined ? 'none' : regionText(region);
      const theirs = line === undefined ? 'none' : lineText(line);
      if (mine !== theirs) {
        return `dump at line ${dump.line}: ${type}[${index}] is ${theirs} in the log, ${mine} here`;
      }
    }
  }
  // The kernel's sum keeps the parts of pages that were trimmed off; without it at the beginning there is none at the end.
  const sizes: [string, number | undefined, number][] = [
    [
      'memory size',
      first.memorySize === undefined ? undefined : dump.memorySize,
      memblock.physMemSize,
    ],
    [
      'reserved size',
      first.memorySize === undefined ? undefined : dump.reservedSize,
      memblock.reservedSize,
    ],
  ];
  for (const [name, printed, ours] of sizes) {
    if (printed !== undefined && printed !== ours) {
      return `dump at line ${dump.line}: ${name} is 0x${printed.toString(16)} in the log, 0x${ours.toString(16)} here`;
    }
  }
  return undefined;
}

function text(start: number, end: number, nid: number | undefined, flags: number): string {
  const node = nid === undefined ? '' : ` on node ${nid}`;
  return `[0x${start.toString(16)}-0x${(end - 1).toString(16)}]${node} flags 0x${flags.toString(16)}`;
}

function regionText(region: MemRegion): string {
  const nid = region.nid < 0 || region.nid >= 1024 ? undefined : region.nid;
  return text(region.base, region.base + region.size, nid, region.flags);
}

function lineText(line: MemblockDump['memory'][number]): string {
  return text(line.start, line.end, line.nid, line.flags);
}
