/**
 * Replays a log's memblock operations from its first dump on, and compares with every later dump the kernel
 * printed; on the way, predicts the address of each allocation from the state before it.
 */
import type { Memblock, MemRegion } from '@bootmem/memblock';
import type { MachineDescription } from '@bootmem/firmware-map';
import type { MemblockDump, MemblockOperation } from '@bootmem/firmware-map/types';
import type { LoadedMachine } from '../input/types.js';
import { chooseRelease, kernelOf } from '../plan/profile.js';
import type { ReplayReport } from '../result.js';
import { predictAllocation } from './predict.js';
import { applyOperation, markHotplug, nodeBlocks, setNodes, stateOf } from '../plan/replay.js';

/**
 * Replays a loaded machine's operations.
 * @param input  the machine
 */
export function replayMachine(input: LoadedMachine): ReplayReport {
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
    return { ...blank, notes: [reason] };
  }
  return run(input, first, dumps.slice(1));
}

function run(
  input: LoadedMachine,
  first: MemblockDump,
  later: readonly MemblockDump[],
): ReplayReport {
  const { description } = input;
  const profile = kernelOf(chooseRelease('auto', description)).memblock;
  const memblock = stateOf(first, profile);
  // With movable_node the kernel allocates upwards from below until it knows the nodes.
  if (description.options.movableNode) memblock.direction = 'bottom-up';
  const operations = description.memblock.operations.filter((one) => one.line > first.line);
  const setAt = nodeSetLine(description, operations);
  const differences: string[] = [];
  const pending = [...later];
  let equalDumps = 0;
  let allocations = 0;
  let predicted = 0;
  let nodesSet = false;
  const setOnce = (): void => {
    if (nodesSet) return;
    nodesSet = true;
    markHotplug(memblock, description);
    setNodes(memblock, nodeBlocks(description, profile));
    memblock.direction = 'top-down';
  };
  const compareUntil = (line: number): void => {
    for (let dump = pending[0]; dump !== undefined && dump.line < line; dump = pending[0]) {
      pending.shift();
      setOnce();
      const found = compareDump(memblock, dump);
      if (found === undefined) equalDumps++;
      else differences.push(found);
    }
  };
  for (const [index, operation] of operations.entries()) {
    compareUntil(operation.line);
    if (operation.line >= setAt) setOnce();
    const outcome = predictAllocation(memblock, description, operations, index);
    if (outcome !== undefined) {
      allocations++;
      if (outcome.equal) predicted++;
    }
    applyOperation(memblock, operation);
  }
  compareUntil(Infinity);
  return {
    schema: 'bootmem/replay',
    version: 1,
    source: input.source,
    operations: operations.filter((one) => one.op !== 'alloc').length,
    dumps: later.length,
    equalDumps,
    allocations,
    predicted,
    differences,
    finalDump: memblock.dump(),
    notes: [],
  };
}

/** The reservation right before the first `NODE_DATA` line is that node's: nodes are set before it. */
function nodeSetLine(
  description: MachineDescription,
  operations: readonly MemblockOperation[],
): number {
  const firstData = description.numa.nodeData.reduce(
    (line, one) => Math.min(line, one.line),
    Infinity,
  );
  const own = operations.findLast((one) => one.op === 'reserve' && one.line < firstData);
  return own?.line ?? Infinity;
}

/** First difference between a state and a dump, in words. */
function compareDump(memblock: Memblock, dump: MemblockDump): string | undefined {
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
  const sizes: [string, number | undefined, number][] = [
    ['memory size', dump.memorySize, memblock.physMemSize],
    ['reserved size', dump.reservedSize, memblock.reservedSize],
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
