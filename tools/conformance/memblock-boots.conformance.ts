/**
 * Replays the memblock of recorded boots: from the state at the entry of the e820 set-up, the printed
 * operations and the documented unprinted ones must lead to both printed configurations and to the
 * states read out of the guest at three later points, and every printed allocation must be predicted.
 *
 *   npm run conformance -- memblock-boots [--log-only] [FOLDER ...]
 *
 * `--log-only`: blocks of nodes and the limit of allocations are derived from the log, too.
 */
import {
  fixtureOracle,
  listBoots,
  sharedOracle,
  type BootRecord,
  type MemblockListSnapshot,
  type MemblockSnapshot,
} from '@bootmem-tools/oracle';
import { profileForRelease, type MemblockState, type MemRegion } from '@bootmem/memblock';
import { replayBoot, type BootReplayResult, type Checkpoint } from '@bootmem/memblock/replay';
import { conformanceOptions, flag } from '../kit/options.js';

const POINTS: readonly (readonly [Checkpoint, string])[] = [
  ['nodes', 'P2'],
  ['zones', 'P3'],
  ['hand-over', 'P4'],
];

function stateOf(snapshot: MemblockSnapshot): MemblockState {
  const regions = (list: MemblockListSnapshot): MemRegion[] =>
    list.regions.map(({ base, size, flags, nid }) => ({ base, size, flags, nid }));
  return {
    memory: regions(snapshot.memory),
    reserved: regions(snapshot.reserved),
    memoryTotal: snapshot.memory.totalSize,
    reservedTotal: snapshot.reserved.totalSize,
    memoryMax: snapshot.memory.max,
    reservedMax: snapshot.reserved.max,
    direction: snapshot.bottomUp ? 'bottom-up' : 'top-down',
    currentLimit: Math.min(snapshot.currentLimit, Number.MAX_SAFE_INTEGER),
  };
}

const hex = (value: number): string => `0x${value.toString(16)}`;

function show(region: MemRegion | undefined): string {
  if (region === undefined) return 'none';
  return `[${hex(region.base)}, +${hex(region.size)}) nid ${region.nid} flags ${hex(region.flags)}`;
}

/** First difference of two states, or undefined. */
function compareStates(want: MemblockState, got: MemblockState): string | undefined {
  for (const type of ['memory', 'reserved'] as const) {
    for (let k = 0; k < Math.max(want[type].length, got[type].length); k++) {
      const left = show(want[type][k]);
      const right = show(got[type][k]);
      if (left !== right) return `${type}[${k}]: expected ${left}, got ${right}`;
    }
  }
  const fields = [
    'memoryTotal',
    'reservedTotal',
    'memoryMax',
    'reservedMax',
    'direction',
    'currentLimit',
  ] as const;
  for (const field of fields) {
    if (want[field] !== got[field]) {
      return `${field}: expected ${String(want[field])}, got ${String(got[field])}`;
    }
  }
  return undefined;
}

/** The kernel's own lines: the live part of the console, or the ring buffer where that is all there is. */
function logOf(boot: BootRecord): string {
  if (!boot.has('console.txt')) return boot.text('dmesg.txt');
  const text = boot.text('console.txt');
  const end = text.indexOf('@@BEGIN ');
  return end < 0 ? text : text.slice(0, end);
}

function replay(boot: BootRecord, logOnly: boolean): BootReplayResult {
  const append = boot.meta().append;
  return replayBoot(logOf(boot), {
    initial: stateOf(boot.memblock('P1')),
    profile: profileForRelease(boot.meta().kernel),
    movableNode: /(?:^|\s)movable_node(?:\s|$)/.test(append),
    ...(logOnly
      ? {}
      : {
          mappedLimit: boot.memblock('P2').currentLimit,
          numaBlocks: boot.numaMeminfo('P3'),
        }),
  });
}

function problemsOf(boot: BootRecord, result: BootReplayResult): string[] {
  const problems: string[] = [];
  for (const { line, expected, got } of result.differences) {
    problems.push(`line ${line}: the log shows ${expected}, ours gives ${got}`);
  }
  if (result.dumps.length < 2)
    problems.push(`${result.dumps.length} configurations replayed, not 2`);
  for (const { line, differences } of result.dumps) {
    for (const text of differences) problems.push(`configuration at line ${line}: ${text}`);
  }
  for (const [point, file] of POINTS) {
    const state = result.checkpoints.get(point);
    const difference =
      state === undefined ? 'not reached' : compareStates(stateOf(boot.memblock(file)), state);
    if (difference !== undefined) problems.push(`${file}: ${difference}`);
  }
  for (const { line, predicted, printed, request } of result.allocations) {
    if (predicted === printed) continue;
    const show = (address: number | undefined): string =>
      address === undefined ? 'no room' : hex(address);
    problems.push(
      `line ${line}: ${request.call} of ${request.size} bytes: the log shows ${show(printed)}, ours predicts ${show(predicted)}`,
    );
  }
  result.memblock.verify();
  return problems;
}

const { paths, 'log-only': logOnly } = conformanceOptions(
  'memblock-boots',
  "Replays the memblock of recorded boots and compares it with the guest's states.",
  'FOLDER',
  { 'log-only': flag('derive blocks of nodes and the limit of allocations from the log, too') },
);
const folders = [...paths];
if (folders.length === 0) {
  const folder = sharedOracle('boots') ?? fixtureOracle('boots');
  if (folder !== undefined) folders.push(folder);
}

let passed = 0;
let failed = 0;
let operations = 0;
let predicted = 0;
let printed = 0;
for (const folder of folders) {
  for (const boot of listBoots(folder)) {
    if (!boot.points('memblock').includes('P1')) {
      console.log(`${boot.name}: left out, no snapshots`);
      continue;
    }
    try {
      const result = replay(boot, logOnly);
      const problems = problemsOf(boot, result);
      operations += result.operations;
      const made = result.allocations.filter((allocation) => allocation.printed !== undefined);
      printed += made.length;
      predicted += made.filter((allocation) => allocation.predicted === allocation.printed).length;
      if (problems.length === 0) {
        passed++;
        continue;
      }
      failed++;
      console.log(`${boot.name}: ${problems.length} differences`);
      for (const text of problems.slice(0, 3)) console.log(`  ${text}`);
    } catch (error) {
      failed++;
      console.log(
        `${boot.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
}
if (passed + failed === 0) failed = 1;
console.log(
  `${operations} lines replayed, ${predicted} of ${printed} allocation addresses predicted`,
);
console.log(`memblock-boots: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
